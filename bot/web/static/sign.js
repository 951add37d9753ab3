// The walk, from the link to "patched". Whatever is signed or sent is in ao.js, and what you read is in view.js.
// Opening this page changes nothing anywhere.

import { NoAnswer, connectWallet, findWallet, handlerSaid, holdsPatch, installMessage, patchMessage, plain, post, readResult,
  sign } from "./ao.js";
import { $, WALLET_ASKS, at, calm, changed, count, explain, introduce, mark, nameOf, press, say, short, show, trouble }
  from "./view.js";

// The ticket stays in the fragment: no server or referrer is ever sent it, a reload works, and the address can be
// copied to the browser where the wallet is. It lets one see this list and ask for another check, nothing more.
const ticket = location.hash.slice(1);
let link; // what the bot says this link is for
let wallet = null;
let address = null;

// --- The walk -------------------------------------------------------------------------------------------------------

async function start() {
  addEventListener("hashchange", () => location.reload()); // another link was pasted over this one
  addEventListener("arweaveWalletLoaded", changed);
  addEventListener("walletSwitch", (event) => {
    address &&= event.detail?.address ?? null;
    changed();
  });
  $("host").textContent = location.host;
  $("origin").textContent = location.origin;
  if (!isSecureContext) return say("Open this page by https: over plain http a browser lets no page check a signature.", "bad");
  link = await openLink();
  if (!link) return;
  const todo = link.processes.filter((process) => process.status !== "patched");
  introduce(link, todo.length);
  if (todo.length === 0) return say("Nothing is left to sign: every process of this link is patched.", "good");
  at(1, "Looking for your wallet…");
  wallet = await findWallet();
  const seen = [];
  for (const process of todo) {
    const message = await handle(process);
    if (message) seen.push(watch(process, message));
  }
  $("process").hidden = true;
  $("listed").hidden = false;
  if (seen.length) at(4, "Patchbell reads it on the nodes now. That takes seconds, on old processes minutes.");
  conclude(todo, await Promise.all(seen));
}

/** One process, from the signature to the network's answer. Gives the id of the last message that the network took, or null. */
async function handle(process) {
  let step = remembered(process)?.step ?? "patch";
  let id = null;
  for (let signatures = 0; signatures < 3; signatures += 1) {
    const message = step === "patch" ? patchMessage(process.process, link.action)
      : installMessage(process.process, process.handler);
    show(process, message, link.network.mu);
    id = remembered(process)?.id ?? (await signAndSend(process, step, message));
    if (!id) return mark(process, "skipped", null);
    const result = await resultOf(process, id);
    forget(process);
    if (result === "sign again") continue;
    if (!result || holdsPatch(result)) return mark(process, "sent", id);
    if (handlerSaid(result)) {
      trouble("Your process has the handler, but nothing to show yet. It shows it by itself as soon as there is. It said:",
        handlerSaid(result));
      break;
    }
    if (result.Error) trouble("The process could not follow it. It said:", plain(result.Error, 300));
    if (!process.handler) break; // this app's own developers have to bring one
    step = step === "patch" ? "install" : "patch";
  }
  at(3, "There is nothing more to sign for this one. Its app's developers can find out why it shows nothing.");
  await press("Go on");
  return mark(process, "sent", id);
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
    at(2, "Your message arrived, and nothing came of it: this process has no handler that answers you. You can add one. Look at " +
      "the Lua above, then sign it.");
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
async function watch(process, message) {
  mark(process, "checking");
  let told = false;
  let seen = "later";
  for (let times = 0; times < 40; times += 1) {
    told ||= Boolean(await ask("signed", { process: process.process, message }).catch(() => null));
    await new Promise((wake) => setTimeout(wake, times < 3 ? 800 : 3000));
    const news = await ask("status", { process: process.process }).catch(() => null);
    if (news?.status === "patched") return mark(process, "patched", "patched");
    if (news?.latest === "patched") seen = "seen";
    if (told && news && !news.checking) break;
  }
  return mark(process, seen, seen);
}

function conclude(todo, seen) {
  if (seen.length) $("title").textContent = seen.every((outcome) => outcome === "patched") ? "Done" : "Signed and sent";
  const skipped = todo.length - seen.length;
  const rest = skipped ? ` You skipped ${count(skipped)}: open this link again when you are ready.` : "";
  if (seen.includes("later")) {
    at(4, "Signed and sent. The nodes don't show all of it yet, which can take a while on old processes. You can close this " +
      `page: Patchbell goes on checking, and writes to you when it is done.${rest}`, "wait");
  } else if (seen.includes("seen")) {
    at(4, "Signed, sent, and seen once. Patchbell calls it done when a second look agrees, mostly within an hour or two, and " +
      `writes to you then. You can close this page.${rest}`, "wait");
  } else if (seen.length) at(5, `Done. Apps can read what you signed for. You can close this page.${rest}`, "good");
  else say(`Nothing was signed.${rest}`, "wait");
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

async function copyLink() {
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  trouble(copied ? "Copied. Open it in the browser where your wallet is." : "Copy the address of this page from the browser's bar.");
}

async function drawCode() {
  const code = await ask("qr").catch(() => null);
  if (code) $("qr-image").src = `data:image/svg+xml,${encodeURIComponent(code.svg)}`;
  $("qr").hidden = !code;
}

// --- What outlives a reload: which message was signed for which process. In this tab only. ----------------------------

const remember = (process, what) => sessionStorage.setItem(process.process, JSON.stringify(what));
const remembered = (process) => JSON.parse(sessionStorage.getItem(process.process) ?? "null");
const forget = (process) => sessionStorage.removeItem(process.process);

start();
