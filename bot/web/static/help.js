// For whom signing here is not the way: no wallet in this browser, a key in a file, or nobody who could sign.

import { findWallet, plain } from "./ao.js";
import { cannot, processesOf, putOff, qrCode, ticketed } from "./bot.js";
import { $, at, count, explain, make, mark, nameOf, press, say, trouble } from "./view.js";

export const onPhone = navigator.userAgentData?.mobile ?? /Android|iPhone|iPad|Mobile/i.test(navigator.userAgent);

const REASONS = { "The key is lost": "lost-wallet", "It isn't mine": "not-mine-to-sign", "An app owns it": "owned-by-app",
  "Something else": "other" };
const NOTED = "Noted. Patchbell won't remind you of it any more, and your community sees that it waits, not whose it is. Type " +
  "/status in Discord to take that back.";

/** Says what helps where there is no wallet, until there is one. Gives the wallet, or null to ask again. */
export async function noWallet(link) {
  at(1, onPhone ? "This browser has no wallet, as is usual on a phone." : "");
  $("help").hidden = false;
  $("help").dataset.on = onPhone ? "phone" : "computer";
  if (!onPhone) drawLink();
  const later = ticketed ? ["Remind me tonight"] : [];
  const first = onPhone ? ["Copy the link", ...later, "Look again"] : ["Look again", "Copy the link", ...later];
  const choice = await press(...first, "My key is a file", ...(ticketed ? ["I can't"] : []));
  if (choice === "Copy the link") await copy(location.href, "Copied. Open it in the browser where your wallet is.",
    "Copy the address of this page from the browser's bar.");
  if (choice === "Remind me tonight") await tonight();
  if (choice === "My key is a file") await keyFile(link);
  if (choice === "I can't") await cannotSign(null);
  const wallet = ["Look again", "changed"].includes(choice) ? await findWallet(1500) : null;
  $("help").hidden = Boolean(wallet);
  return wallet;
}

async function drawLink() {
  const svg = await qrCode();
  if (svg) $("qr-image").src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  $("qr").hidden = !svg;
}

/** Seven in the evening, an hour from now at the earliest, or tomorrow's where that is too late. */
function thisEvening(now = new Date()) {
  const evening = new Date(now);
  evening.setHours(19, 0, 0, 0);
  const soonest = new Date(now.getTime() + 3600000);
  if (now.getHours() >= 22) evening.setDate(evening.getDate() + 1);
  return evening > soonest ? evening : soonest;
}

async function tonight() {
  try {
    const next = await putOff(thisEvening());
    const when = next && new Date(next).toLocaleString(undefined, { weekday: "long", hour: "numeric", minute: "2-digit" });
    trouble(next ? `Good. Patchbell writes to you again on ${when}. Open its link on the computer where your wallet is.`
      : "Good. Type /status in Discord when you are at your computer: it gives you this link again.");
  } catch (error) {
    trouble(error.message);
  }
}

// --- The code, and owners whose key is a file -------------------------------------------------------------------------

/** Fills in *Show the code*: the whole Lua with its sha256. */
export function showCode({ templates }) {
  const parts = templates.filter(({ lua }) => lua).map(({ lua, sha256, keys }) => {
    const code = make("pre", lua, "lua");
    Object.assign(code, { tabIndex: 0, role: "region", ariaLabel: "The whole Lua" });
    const file = new File([lua], "patchbell.lua", { type: "text/plain" });
    const download = make("a", "Download patchbell.lua", "button");
    Object.assign(download, { href: URL.createObjectURL(file), download: file.name });
    const button = make("button", "Copy the code");
    Object.assign(button, { type: "button", onclick: () => copy(lua, "Copied.", "Your browser did not allow it: select the code.") });
    return make("div", [make("p", `Shows: ${keys.join(", ")}`), make("p", ["sha256 ", make("code", sha256)]), code,
      make("p", [download, " ", button])]);
  });
  $("code-parts").replaceChildren(...parts);
  $("code").hidden = !parts.length;
}

async function keyFile() {
  try {
    const { processes } = await processesOf(null, true);
    const named = (process) => (process.startsWith("-") ? `-- ${process}` : process); // else it would be an option of aos
    $("aos").textContent = processes.map(({ process }) => `aos ${named(process)}\n.load patchbell.lua`).join("\n\n");
  } catch (error) {
    return trouble(error.message);
  }
  $("key-file").hidden = false;
  $("code").open = true;
  $("key-file").focus();
}

async function copy(text, done, failed) {
  trouble(await navigator.clipboard?.writeText(text).then(() => true, () => false) ? done : failed);
}

// --- Who can't ----------------------------------------------------------------------------------------------------------

/** Asks why, and tells Patchbell. Null: about everything that the link is for. Gives whether something was said. */
export async function cannotSign(processes) {
  say("What is in the way? Patchbell stops reminding you, and goes on checking.");
  const choice = await press(...Object.keys(REASONS), "Back");
  const reason = REASONS[choice];
  if (!reason) return false;
  try {
    const listed = processes ?? (await processesOf(null, true)).processes.filter(({ status }) => status !== "patched");
    await cannot(listed, reason);
    listed.forEach((process) => mark(process, "blocked", "blocked"));
    trouble(NOTED);
    return true;
  } catch (error) {
    trouble(error.message);
    return false;
  }
}

const WHO = {
  "hyper-aos": "runs on HyperBEAM itself (variant ao.N.1). The message of this page is not for it, and its Lua differs: its app's " +
    "developers know how it shows its state.",
  process: "is owned by another process, so no wallet can sign for it. Its app's developers can make the owning process send the " +
    "message.",
  "no-handler": "has no handler that answers you, and this page can add one only to aos 2.0.1, 2.0.3 and 2.0.6. Its app's " +
    "developers have to bring one.",
};

/** Says who can act where this wallet can't. Gives whether the person goes on all the same. */
export async function whoCan(process, why, anyway = null) {
  $("process").hidden = true;
  mark(process, "now");
  at(2, `${nameOf(process)} ${WHO[why]}`, "wait");
  const choice = await press(ticketed ? "Stop reminding me" : "Go on", ...(ticketed ? ["Go on"] : []), ...(anyway ? [anyway] : []));
  if (choice === anyway) return true;
  if (choice === "Stop reminding me") {
    await cannot([process], why === "process" ? "owned-by-app" : "no-handler").then(() => trouble(NOTED), (error) => trouble(error.message));
  }
  mark(process, choice === "Stop reminding me" ? "blocked" : "waits", "blocked");
  return false;
}
