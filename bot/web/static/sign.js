// The walk, from the link to "patched". Opening this page, or connecting a wallet, signs nothing and changes nothing.
// What is signed and sent is in ao.js, in which order in sending.js; what Patchbell is told is in bot.js.

import { BATCH_BYTES, findWallet, handlerSaid, holdsPatch, knownAddress, plain, readResult, tryOut } from "./ao.js";
import { forget, openLink, processesOf, ticketed } from "./bot.js";
import { noWallet, onPhone, showCode, whoCan } from "./help.js";
import { Sender, Switched, pooled } from "./sending.js";
import { $, at, calm, changed, conclude, explain, introduce, list, mark, nameOf, press, say, short, trouble } from "./view.js";
import { watch, watched } from "./watch.js";

let link; // what the bot says this link is for
let sender = null;

async function start() {
  addEventListener("hashchange", () => location.reload()); // another link was pasted over this one
  addEventListener("arweaveWalletLoaded", changed);
  addEventListener("walletSwitch", (event) => {
    if (sender?.address) sender.address = event.detail?.address ?? null;
    changed();
  });
  $("host").textContent = location.host;
  $("origin").textContent = location.origin;
  if (!isSecureContext) return say("Open this page by https: over plain http a browser lets no page check a signature.", "bad");
  link = await untilOpen();
  if (!link) return;
  introduce(link);
  showCode(link);
  if (link.open === 0) return say("Nothing is left to sign: apps can read all that this link is for.", "good");
  at(1, "Looking for your wallet…");
  let wallet = onPhone ? globalThis.arweaveWallet ?? null : await findWallet();
  while (!wallet) wallet = await noWallet(link);
  sender = new Sender(link, wallet);
  sender.address = await knownAddress(wallet);
  for (;;) {
    try {
      const left = await sitting();
      if (!left || (await press("Use another account")) !== "Use another account") return;
      sender.address = null;
    } catch (error) {
      if (!(error instanceof Switched)) throw error;
    }
  }
}

/** One account's processes, all in one sitting. Gives how many others the link still has. */
async function sitting() {
  const { processes, others } = await owned();
  list(processes);
  const todo = processes.filter(({ status }) => status !== "patched");
  for (const process of todo.filter(({ way }) => ["hyper-aos", "process"].includes(way))) await whoCan(process, process.way);
  const able = todo.filter(({ outcome }) => !outcome);
  at(2, "Asking the network what your process answers. Nothing is signed for that…");
  await pooled(able, prepare);
  for (const group of grouped(able)) await carry(group);
  $("process").hidden = true;
  if (watched()) {
    at(4, "Patchbell reads it on the nodes now. That takes seconds, on old processes minutes.");
    await watched();
  }
  conclude(todo, others);
  return others;
}

/** Connects, and asks for what the active account owns, until it owns something or the person goes on anyway. */
async function owned() {
  for (;;) {
    while (!sender.address) {
      at(1, "Connect your wallet. It will show this page your address, and sign only what you confirm.");
      await sender.connect("Connect wallet");
    }
    const mine = await untilAnswered(() => processesOf(sender.address));
    if (mine.processes.some(({ status }) => status !== "patched")) return mine;
    const nobodys = mine.nobodys > 0 && mine.nobodys === mine.others;
    at(2, nobodys ? "Another process owns what this link is for, so no wallet can sign for it. Go on to see who can."
      : `This wallet, ${short(sender.address)}, is not the owner of what this link is for. Switch to the account that is. ` +
        "Signed by this one, a message does nothing, unless the process was handed over to it.", "bad");
    const choice = nobodys ? await press("Continue anyway") : await sender.connect("Use another account", "Continue anyway");
    if (choice === "Continue anyway") return untilAnswered(() => processesOf(sender.address, true));
  }
}

// --- What is offered --------------------------------------------------------------------------------------------------

const canInstall = (process) => process.way === "install" && Boolean(link.templates[process.template].lua);

/** Chooses which message is offered first: what was signed already, then by what the process would answer. */
async function prepare(process) {
  process.step = process.signed?.installs ? "install" : "enable";
  process.id = process.signed?.message ?? null;
  if (process.id) return;
  process.silent = (await tryOut(link.network.cu, sender.address, sender.messageOf(process))) === "silent";
  if (process.silent && canInstall(process)) process.step = "install";
}

const isStuck = (process) => !process.id && process.silent && !canInstall(process);

/** All that fit into one question of the wallet together; one by one where it can't, or where there is nothing to sign. */
function grouped(able) {
  const fresh = able.filter((process) => !process.id && !isStuck(process));
  const groups = able.filter((process) => !fresh.includes(process)).map((process) => [process]);
  if (fresh.length < 2 || !sender.together) return [...groups, ...fresh.map((process) => [process])];
  let room = 0;
  for (const process of fresh) {
    const size = 1300 + new TextEncoder().encode(sender.messageOf(process).data).length;
    if (room < size) {
      groups.push([]);
      room = BATCH_BYTES;
    }
    room -= size;
    groups.at(-1).push(process);
  }
  return groups;
}

/** One group, from the signatures to the network's answers: three rounds at most, since a handler may have to come first. */
async function carry(group) {
  for (let round = 0; round < 3 && group.length; round += 1) {
    if (isStuck(group[0])) {
      if (!(await whoCan(group[0], "no-handler", "Sign anyway"))) return;
      group[0].silent = false;
    }
    const fresh = group.filter(({ id }) => !id);
    if (fresh.length && (await sender.send(fresh)) === "One by one") {
      for (const process of fresh) await carry([process]);
      return;
    }
    group = await resultsOf(group.filter(({ id }) => id));
  }
  for (const process of group) await whoCan(process, "no-handler");
}

// --- What came of it ----------------------------------------------------------------------------------------------------

/** Reads what came of each, and gives those for which there is something more to sign. */
async function resultsOf(sent) {
  const alone = sent.length === 1;
  sent.forEach((process) => mark(process, "sent"));
  const results = await pooled(sent, (process) => resultOf(process, alone));
  const more = [];
  for (const [index, process] of sent.entries()) {
    if (await goesOn(process, results[index], alone)) more.push(process);
  }
  return more;
}

/** Reads the result, again if the person wants. Null: the network has the message, but won't show what came of it. */
async function resultOf(process, alone) {
  for (;;) {
    at(3, alone ? `The network has your message. Reading what ${nameOf(process)} made of it…`
      : "The network has your messages. Reading what came of them…");
    try {
      return await readResult(link.network.cu, process.process, process.id,
        (said) => alone && said && trouble("Not yet. It says:", said), process.signed?.message === process.id ? 30 : 120);
    } catch (error) {
      if (!alone) return null;
      explain(error);
      say("Patchbell can go on and look at the nodes instead.");
      const choice = await press("Go on", "Read it again", "Sign again");
      if (choice !== "Read it again") return choice === "Sign again" ? "sign again" : null;
    } finally {
      if (alone) calm();
    }
  }
}

/** Tells by a result whether there is something more to sign. What is not is watched, or has come to its end. */
async function goesOn(process, result, alone) {
  const said = result && handlerSaid(result);
  if (result === "sign again") await forget([process]);
  else if (!result || holdsPatch(result) || said) {
    watch(process);
    if (alone && said && !holdsPatch(result)) {
      at(3, "There is nothing more to sign for this one.");
      trouble("Your process has the handler, but nothing to show yet. It shows it by itself as soon as there is. It said:", said);
      await press("Go on");
    }
    return false;
  } else {
    if (alone && result.Error) trouble("The process could not follow it. It said:", plain(result.Error, 300));
    process.silent = process.step !== "install";
    if (isStuck({ ...process, id: null })) return whoCan(process, "no-handler");
    process.step = process.silent ? "install" : "enable";
  }
  process.id = null;
  return true;
}

// --- The bot ------------------------------------------------------------------------------------------------------------

async function untilAnswered(question) {
  for (;;) {
    try {
      return await question();
    } catch (error) {
      say(error.message, "bad");
      await press("Try again");
    }
  }
}

async function untilOpen() {
  for (;;) {
    try {
      return await openLink();
    } catch (error) {
      $("for").textContent = "";
      $("title").textContent = "This link does not open";
      say(error.message, "bad");
      if (error.final) return null;
      await press("Try again");
    }
  }
}

start();
