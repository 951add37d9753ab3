// What this page asks of Patchbell: what the link is for, and what the nodes show. No key or signature goes there.

import { plain } from "./ao.js";

// Without a ticket (/p/<process>) the page is about one process, and nothing is told of whoever looks at it.
const lone = location.pathname.match(/^\/p\/([\w-]+)$/)?.[1] ?? null;
export const ticketed = !lone;

// The ticket stays in the fragment: no server or referrer is ever sent it, a reload works, and the address can be copied
// to the browser where the wallet is.
const ticket = location.hash.slice(1);

/** Gives {templates, network, open, …}. Throws an Error with a sentence, and `final` where trying again can't help. */
export async function openLink() {
  if (lone) {
    const page = await call("GET", `p/${lone}/page`);
    const open = page.verdict === "patched" ? 0 : 1;
    return { ...page, all: 1, open };
  }
  if (ticket) return ask("ticket");
  throw Object.assign(new Error("This address has no link in it. Type /status in Discord for yours."), { final: true });
}

/** Gives {processes, others, nobodys}: what this address owns, and how many it does not; with `others`, all of it. */
export async function processesOf(address, others = false) {
  const answer = lone ? alone(await call("GET", `p/${lone}/page`), address, others) : await ask("processes", { address, others });
  for (const process of answer.processes) process.signed ??= remembered(process.process);
  return answer;
}

function alone({ processes: [process] }, address, others) {
  const shown = others || process.owner === address;
  return { processes: shown ? [process] : [], others: shown ? 0 : 1, nobodys: process.way === "process" ? 1 : 0 };
}

const messages = (list) => list.map(({ process, id, step }) => ({ process: process.process, message: id, installs: step === "install" }));

/** Keeps what was signed, before it is sent: here for this tab, and with the ticket for any other. A silent bot stops nobody. */
export async function keep(list) {
  for (const { process, message, installs } of messages(list)) {
    sessionStorage.setItem(process, JSON.stringify({ message, installs }));
  }
  if (!lone) await ask("signing", { messages: messages(list) }).catch(() => null);
}

/** Forgets what the network refused: it was never taken. */
export async function forget(list) {
  for (const process of list) sessionStorage.removeItem(process.process);
  if (!lone) await ask("unsigned", { processes: ids(list) }).catch(() => null);
}

const remembered = (process) => JSON.parse(sessionStorage.getItem(process) ?? "null");

/** Has the processes of these messages read at once; gives whether that was heard. */
export async function tellSigned(list) {
  const heard = lone ? call("POST", `p/${lone}/signed`, { message: list[0].id }) : ask("signed", { messages: messages(list) });
  return Boolean(await heard.catch(() => null));
}

/** Gives {id: {status, checking, latest}}, or null where the bot does not answer. */
export async function statusOf(list) {
  if (!lone) return ask("status", { processes: ids(list) }).catch(() => null);
  const page = await call("GET", `p/${lone}/page`).catch(() => null);
  return page && { [lone]: { status: page.latest ?? page.verdict, checking: page.checking, latest: page.latest } };
}

/** Notes why the owner can't act; null takes back that the network refused. */
export const cannot = (list, reason) => (lone ? null : ask("cannot", { processes: ids(list), reason }));

/** Puts the reminders off until a Date; gives when the next one comes, or null. */
export const putOff = async (until) => (await ask("tonight", { until: until.getTime() / 1000 })).next;

/** Gives the link as an SVG code, or null. */
export const qrCode = () => (lone ? null : ask("qr").then(({ svg }) => svg, () => null));

const ids = (list) => list.map(({ process }) => process);
const ask = (what, more = {}) => call("POST", what, { ticket, ...more });

async function call(method, what, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const response = await fetch(`/api/${what}`, {
    method, headers, body: body && JSON.stringify(body), credentials: "omit", signal: AbortSignal.timeout(60000),
  }).catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.ok && answer) return answer;
  const sentence = plain(answer?.error, 300) || "Patchbell did not answer. Try again in a moment.";
  throw Object.assign(new Error(sentence), { final: [400, 410].includes(response?.status) });
}
