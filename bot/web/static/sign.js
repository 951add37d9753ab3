// What you see, and in which order. Whatever is signed or sent is in ao.js. Opening this page changes nothing anywhere.

import { NoAnswer, Refused, connectWallet, findWallet, handlerSaid, holdsPatch, installMessage, patchMessage, plain, post,
  readResult, sign } from "./ao.js";

// The ticket stays in the fragment: no server or referrer is ever sent it, a reload works, and the address can be
// copied to the browser where the wallet is. It lets one see this list and ask for another check, nothing more.
const ticket = location.hash.slice(1);
const $ = (id) => document.getElementById(id);
let link; // what the bot says this link is for
let wallet = null;
let address = null;

// --- The walk -------------------------------------------------------------------------------------------------------

async function start() {
  addEventListener("hashchange", () => location.reload()); // another link was pasted over this one
  addEventListener("arweaveWalletLoaded", () => answered("changed"));
  addEventListener("walletSwitch", (event) => {
    address &&= event.detail?.address ?? null;
    answered("changed");
  });
  $("host").textContent = location.host;
  $("origin").textContent = location.origin;
  link = await openLink();
  if (!link) return;
  const todo = link.processes.filter((process) => process.status !== "patched");
  introduce(todo.length);
  if (todo.length === 0) return say("Nothing is left to sign: every process of this link is patched.", "good");
  wallet = await findWallet();
  const seen = [];
  for (const process of todo) {
    show(process, patchMessage(process.process, link.action));
    if (await handle(process)) seen.push(watch(process));
  }
  $("process").hidden = true;
  $("listed").hidden = false;
  if (seen.length) at(4, "Patchbell reads it on the nodes now. That takes seconds, on old processes minutes.");
  conclude(todo, await Promise.all(seen));
}

/** One process, from the signature to the network's answer. True when the network took a message of its owner's. */
async function handle(process) {
  let step = remembered(process)?.step ?? "patch";
  for (let signatures = 0; signatures < 3; signatures += 1) {
    const message = step === "patch" ? patchMessage(process.process, link.action)
      : installMessage(process.process, process.handler);
    show(process, message);
    const id = remembered(process)?.id ?? (await signAndSend(process, step, message));
    if (!id) return mark(process, "skipped", false);
    const result = await resultOf(process, id);
    forget(process);
    if (result === "sign again") continue;
    if (!result || holdsPatch(result)) return mark(process, "sent", true);
    if (handlerSaid(result)) {
      trouble("Your process has the handler, but nothing to show yet. It follows by itself once there is. It said:", handlerSaid(result));
      break;
    }
    if (result.Error) trouble("The process could not follow it. It said:", plain(result.Error, 300));
    step = step === "patch" ? "install" : "patch";
  }
  at(3, "There is nothing more to sign for this one. Its app's developers can find out why it shows nothing.");
  await press("Go on");
  return mark(process, "sent", true);
}

/** Asks for the signature until the messenger unit took one, or the person skips (null). Gives the message's id. */
async function signAndSend(process, step, message) {
  let signed = null;
  for (;;) {
    const choice = await consent(process, step, signed);
    if (choice === "Skip this one") return null;
    if (!["Sign", "Sign and install", "Sign anyway", "Send it again"].includes(choice)) continue;
    try {
      at(2, WALLET_ASKS);
      signed ??= await sign(wallet, address, message);
      at(3, "Signed. Sending it to the network…");
      remember(process, { step, id: signed.id }); // before it is sent: a reload then asks what came of it
      await post(link.network.mu, signed.bytes);
      return signed.id;
    } catch (error) {
      if (!(error instanceof NoAnswer)) forget(process);
      explain(error);
    }
  }
}

/** Shows the buttons that fit, once a wallet is connected, and gives the one that was pressed. */
async function consent(process, step, signed) {
  const skip = link.processes.length > 1 ? ["Skip this one"] : [];
  if (!wallet) return noWallet(skip);
  if (!address) {
    at(1, "Connect your wallet. It will show this page your address, and sign only what you confirm.");
    return pressToConnect("Connect wallet", skip);
  }
  if (signed) {
    at(3, "Your signed message is kept here until you close this page.");
    return press("Send it again", ...skip);
  }
  if (process.owner && process.owner !== address) {
    at(2, `This wallet, ${short(address)}, is not the owner of ${nameOf(process)}. Its owner is ${short(process.owner)}: switch ` +
      "to that account in your wallet. Signed by this one, the message does nothing, unless the process was handed over to it.", "bad");
    return pressToConnect("Use another account", [...skip, "Sign anyway"]);
  }
  if (step === "install") {
    at(2, "Your message arrived, but this process has no handler for it. You can add it: look at the Lua above, then sign that.");
    return press("Sign and install", ...skip);
  }
  at(2, `Connected as ${short(address)}. Look at the message above, then sign it.`);
  return press("Sign", ...skip);
}

async function pressToConnect(label, others) {
  const choice = await press(label, ...others);
  if (choice !== label) return choice;
  say(WALLET_ASKS);
  try {
    address = await connectWallet(wallet);
  } catch (error) {
    explain(error);
  }
  return choice;
}

async function noWallet(skip) {
  at(1);
  $("help").hidden = false;
  $("process").hidden = true;
  drawCode();
  const choice = await press("Look again", "Copy the link", ...skip);
  if (choice === "Copy the link") await copyLink();
  else wallet = await findWallet(1500);
  $("help").hidden = Boolean(wallet);
  $("process").hidden = !wallet;
  return choice;
}

/** Reads the result, again if the person wants. Null: the network has the message, but won't show what came of it. */
async function resultOf(process, id) {
  mark(process, "sent");
  for (;;) {
    at(3, `The network has your message. Reading what ${nameOf(process)} made of it…`);
    try {
      return await readResult(link.network.cu, process.process, id, (said) => said && trouble("Not yet. It says:", said));
    } catch (error) {
      explain(error);
      say("Patchbell can go on and look at the nodes instead.");
      const choice = await press("Go on", "Read it again", "Sign again");
      if (choice !== "Read it again") return choice === "Go on" ? null : "sign again";
    } finally {
      calm();
    }
  }
}

/** Tells the bot, and follows what the nodes show for two minutes at most. Gives "patched", "seen" or "later". */
async function watch(process) {
  mark(process, "checking");
  let told = false;
  let seen = "later";
  for (let times = 0; times < 48; times += 1) {
    told ||= Boolean(await ask("signed", { process: process.process }).catch(() => null));
    await new Promise((wake) => setTimeout(wake, 2500));
    const news = await ask("status", { process: process.process }).catch(() => null);
    if (news?.status === "patched") return mark(process, "patched", "patched");
    if (news?.latest === "patched") seen = "seen";
    if (told && news && !news.checking) break;
  }
  return mark(process, seen, seen);
}

function conclude(todo, seen) {
  const skipped = todo.length - seen.length;
  const rest = skipped ? ` You skipped ${count(skipped)}: open this link again when you are ready.` : "";
  if (seen.includes("later")) {
    at(4, "Signed and sent. The nodes don't show all of it yet, which can take a while on old processes. You can close this " +
      `page: Patchbell goes on checking, and writes to you when it is done.${rest}`, "wait");
  } else if (seen.includes("seen")) {
    at(4, "Signed, sent, and seen once. Patchbell calls it done when a second look agrees, mostly within an hour or two, and " +
      `writes to you then. You can close this page.${rest}`, "wait");
  } else if (seen.length) at(5, `Done. Apps can read what you signed for. You can close this page.${rest}`, "good");
  else say(`Nothing was signed.${rest}`);
}

// --- The bot's part -------------------------------------------------------------------------------------------------

/** Posts to the bot. Throws an Error with the bot's own sentence, and its status, when it says no. */
async function ask(what, more = {}) {
  const response = await fetch(`/api/${what}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ticket, ...more }),
    credentials: "omit", signal: AbortSignal.timeout(20000),
  }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.ok && answer) return answer;
  const sentence = plain(answer?.error, 300) || "Patchbell did not answer. Try again in a moment.";
  throw Object.assign(new Error(sentence), { status: response?.status });
}

async function openLink() {
  for (;;) {
    try {
      if (ticket) return await ask("ticket");
      throw Object.assign(new Error("This address has no link in it. Type /status in Discord for yours."), { status: 410 });
    } catch (error) {
      $("for").textContent = "";
      $("title").textContent = "This link does not open";
      say(error.message, "bad");
      if (error.status === 410) return null;
      await press("Try again");
    }
  }
}

async function drawCode() {
  const code = await ask("qr").catch(() => null);
  if (code) $("qr-image").src = `data:image/svg+xml,${encodeURIComponent(code.svg)}`;
  $("qr").hidden = !code;
}

// --- What you read --------------------------------------------------------------------------------------------------

const WALLET_ASKS = "Your wallet asks you now. If no window opens, press its icon in the browser's bar.";

/** Says what went wrong, in our words, with the other side's own as code. */
function explain(error) {
  if (error instanceof NoAnswer) return trouble(`${error.host} did not answer. Nothing is lost: try again in a moment.`);
  if (!(error instanceof Refused)) {
    console.error(error);
    return trouble("Something on this page broke. Reload it: nothing is lost. It said:", plain(error, 300));
  }
  if (error.by === "messenger") {
    const closed = /not whitelisted|not allowed/i.test(error.said)
      ? " This process lives on the old network's closed list: its app's developers must have it admitted, or move it." : "";
    return trouble(`The network did not take your message.${closed} It said:`, `${error.status} ${error.said}`);
  }
  if (error.by === "compute") {
    return trouble("The network has your message, but did not show what came of it. It said:", `${error.status} ${error.said}`);
  }
  if (/cancel|reject|denied|closed/i.test(error.said)) {
    return trouble("You closed your wallet's question, so nothing was signed. Start again whenever you like.");
  }
  if (/\block/i.test(error.said)) return trouble("Your wallet is locked. Unlock it, then start again. It said:", error.said);
  return trouble("Your wallet did not do it, and nothing was sent. It said:", error.said);
}

function introduce(open) {
  const until = new Date(link.expires_at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
  $("for").replaceChildren("Made for ", bold(link.name || "you"), ...(link.community ? [" in ", bold(link.community)] : []), ` · works until ${until}`);
  $("title").textContent = open === 1 ? "One message to sign" : `${open || "No"} messages to sign`;
  $("steps").hidden = false;
  $("list").replaceChildren(...link.processes.map((process) => {
    const state = make("span", "", "state");
    state.id = `state-${process.process}`;
    return make("li", [make("span", nameOf(process), "name"), make("code", short(process.process)), state]);
  }));
  link.processes.forEach((process) => mark(process, process.status === "patched" ? "patched" : "waiting"));
  $("listed").hidden = link.processes.length === 1;
}

function show(process, { target, tags, data }) {
  const installs = tags[0].value === "Eval";
  mark(process, "now");
  $("process").hidden = false;
  $("process-title").textContent = nameOf(process);
  $("facts").replaceChildren(
    ...fact("Process", make("code", process.process)), ...fact("Called", process.name && make("code", plain(process.name))),
    ...fact("Owner", process.owner ? make("code", process.owner) : "No gateway could say. Only the owner's signature counts."),
    ...fact("Will show", process.keys?.length && make("code", plain(process.keys.join(", "), 200))),
  );
  $("what").textContent = installs
    ? "This runs the Lua below once inside your process, as its owner. It adds the handler that shows your state to HyperBEAM nodes, and keeps it fresh."
    : "This asks your process to show its state to HyperBEAM nodes, so that apps can read it.";
  $("tags").tBodies[0].replaceChildren(...[
    ["Target", target], ...tags.map(({ name, value }) => [name, value]),
    ["Data", installs ? `the Lua below, ${new TextEncoder().encode(data).length} bytes` : "one space"],
  ].map(([name, value]) => make("tr", [make("th", name), make("td", [make("code", value)])])));
  $("lua").textContent = installs ? data : "";
  $("lua").hidden = !installs;
  $("cannot").replaceChildren(...[
    "It moves no tokens and carries no amount.", "It gives nobody your wallet, your keys or your process.",
    `It goes from this page to ${new URL(link.network.mu).host}, not through Patchbell.`,
  ].map((line) => make("li", line)));
}

const STATES = { waiting: "waiting", now: "now", skipped: "skipped", sent: "sent", checking: "being checked",
  seen: "seen once, being confirmed", patched: "patched", later: "not shown yet" };

/** Writes a process's state into the list, and gives `outcome` back. */
function mark(process, state, outcome) {
  const place = $(`state-${process.process}`);
  place.textContent = STATES[state];
  place.dataset.state = state;
  return outcome;
}

/** Moves the step indicator, and says what to do now. */
function at(step, sentence = "", kind = "") {
  [...$("steps").children].forEach((item, index) => {
    item.className = index + 1 < step ? "done" : "";
    item.ariaCurrent = index + 1 === step ? "step" : null;
  });
  say(sentence, kind);
}

function say(sentence, kind = "") {
  $("say").textContent = sentence;
  $("act").dataset.kind = kind;
}

function trouble(sentence, words = "") {
  $("trouble").textContent = sentence;
  $("words").textContent = words;
  $("words").hidden = !words;
}

const calm = () => trouble("");

/** Shows buttons, the first as the main one, and waits for one. A change in the wallet counts as an answer too. */
let answered = () => {};
function press(...labels) {
  return new Promise((resolve) => {
    answered = (label) => {
      $("buttons").replaceChildren();
      answered = () => {};
      if (label !== "changed") calm();
      resolve(label);
    };
    const buttons = labels.map((label) => {
      const button = make("button", label);
      Object.assign(button, { type: "button", disabled: true, onclick: () => answered(label) });
      return button;
    });
    $("buttons").replaceChildren(...buttons);
    // The second half of a double click on the button that was here before must not press this one.
    setTimeout(() => buttons.forEach((button) => (button.disabled = false)), 400);
  });
}

async function copyLink() {
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  trouble(copied ? "Copied. Open it in the browser where your wallet is." : "Copy the address of this page from the browser's bar.");
}

const make = (tag, content, name = "") => {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...[content].flat()); // strings become text, never markup
  return element;
};
const bold = (text) => make("b", plain(text));
const fact = (name, value) => (value ? [make("dt", name), make("dd", [value].flat())] : []);
const short = (id) => `${id.slice(0, 4)}…${id.slice(-4)}`;
const nameOf = (process) => plain(process.label || process.name) || short(process.process);
const count = (number) => (number === 1 ? "one" : String(number));

// --- What outlives a reload: which message was signed for which process. In this tab only. ----------------------------

const remember = (process, what) => sessionStorage.setItem(process.process, JSON.stringify(what));
const remembered = (process) => JSON.parse(sessionStorage.getItem(process.process) ?? "null");
const forget = (process) => sessionStorage.removeItem(process.process);

start();
