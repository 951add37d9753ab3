// The only file of this page that touches your wallet or the AO network. It never sees a private key or a seed phrase:
// the wallet signs by itself, after asking you, and hands back the signed message.

// --- What may be signed: these two messages, and nothing else. -------------------------------------------------------
// Tags, their order and the data are what aoconnect 0.0.98 makes of the same call (tests/node/aoconnect.test.mjs).

const PROTOCOL = [
  { name: "SDK", value: "aoconnect" },
  { name: "Data-Protocol", value: "ao" },
  { name: "Variant", value: "ao.TN.1" },
  { name: "Type", value: "Message" },
];

/** "Show your state": one tag says so, and the data is one space. */
export function patchMessage(process, action) {
  const tags = [{ name: "Action", value: action }, { name: "Content-Type", value: "text/plain" }, ...PROTOCOL];
  return { target: process, tags, data: " " };
}

/** "Run this Lua, which adds the handler": only the owner's signature makes a process do that. */
export function installMessage(process, lua) {
  return { target: process, tags: [{ name: "Action", value: "Eval" }, ...PROTOCOL], data: lua };
}

// --- What can go wrong ----------------------------------------------------------------------------------------------

/** Somebody said no. `said` has their own words, cut; `by` is "wallet", "messenger" or "compute". */
export class Refused extends Error {
  constructor(by, said, status = null) {
    super(said);
    Object.assign(this, { by, said: plain(said, 300), status });
  }
}

/** Nobody answered in time, so nothing is known. `host` is who was asked. */
export class NoAnswer extends Error {
  constructor(host) {
    super(host);
    this.host = host;
  }
}

/** Text from strangers: without control, direction and zero-width characters, on one line, cut. */
export function plain(text, most = 80) {
  const clean = String(text ?? "").replace(/[\s\p{C}\u2028\u2029]+/gu, " ").trim();
  return clean.length > most ? clean.slice(0, most - 1) + "…" : clean;
}

// --- The wallet -----------------------------------------------------------------------------------------------------

/** Gives the browser's Arweave wallet, waiting for it to load; null when there is none. */
export function findWallet(milliseconds = 4000) {
  if (globalThis.arweaveWallet) return Promise.resolve(globalThis.arweaveWallet);
  return new Promise((resolve) => {
    const found = () => resolve(globalThis.arweaveWallet ?? null);
    addEventListener("arweaveWalletLoaded", found, { once: true });
    setTimeout(found, milliseconds);
  });
}

/** Asks to see the active address and to request signatures. Gives the address. */
export async function connectWallet(wallet) {
  return asked(async () => {
    await wallet.connect(["ACCESS_ADDRESS", "SIGN_TRANSACTION"], { name: "Patchbell" });
    return wallet.getActiveAddress();
  });
}

/** Gives the active address where this page was connected before, without a question; else null. */
export async function knownAddress(wallet) {
  try {
    const permissions = await wallet.getPermissions();
    const enough = ["ACCESS_ADDRESS", "SIGN_TRANSACTION"].every((one) => permissions.includes(one));
    return enough ? await wallet.getActiveAddress() : null;
  } catch {
    return null;
  }
}

/** Has the wallet sign. Gives the bytes, and the id that the network will know them by: the hash of the signature. */
export async function sign(wallet, address, { target, tags, data }) {
  return opened(await asked(() => wallet.signDataItem({ data, tags, target })), address);
}

export const BATCH_BYTES = 195_000; // wallets take 200 kB in one question

/** Has the wallet sign several in one question, in the order given. Wallets that can have `batchSignDataItem`. */
export async function signTogether(wallet, address, messages) {
  const items = messages.map(({ target, tags, data }) => ({ data, tags, target }));
  const answer = await asked(() => wallet.batchSignDataItem(items));
  if (!Array.isArray(answer) || answer.length !== items.length) throw new Refused("wallet", "It did not sign all of them");
  return Promise.all(answer.map((one) => opened(one?.raw ?? one, address)));
}

async function opened(raw, address) {
  const bytes = new Uint8Array(raw);
  // ANS-104: two bytes say the kind (1: Arweave), then come 512 of signature, and 512 of the signer's public key.
  if (bytes.length < 1026 || bytes[0] !== 1 || bytes[1] !== 0) throw new Refused("wallet", "Unknown kind of signature");
  const signer = await hash(bytes.subarray(514, 1026));
  if (signer !== address) throw new Refused("wallet", `Signed by another account: ${signer}`);
  return { bytes, id: await hash(bytes.subarray(2, 514)) };
}

async function asked(question) {
  try {
    return await question();
  } catch (error) {
    throw new Refused("wallet", error?.message ?? error);
  }
}

async function hash(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// --- The network ----------------------------------------------------------------------------------------------------

/** Hands the signed bytes to the messenger unit. The same bytes may be sent again: it is the same message. */
export async function post(mu, bytes, id) {
  const headers = { "Content-Type": "application/octet-stream", Accept: "application/json" };
  const answer = await exchange(mu, { method: "POST", headers, body: bytes }, 60);
  const said = parse(answer.text);
  if (!answer.ok || !said) throw new Refused("messenger", words(answer.text), answer.status);
  if (id && said.id && said.id !== id) throw new Refused("messenger", `It has another id: ${said.id}`, answer.status);
}

/** Asks the compute unit what the process would answer, with nothing signed and nothing sent: "answers", "silent", or
 *  "unknown" where the unit won't say. It only chooses which message is offered first. */
export async function tryOut(cu, address, { target, tags, data }) {
  const body = JSON.stringify({ Id: "1234", Target: target, Owner: address, Anchor: "0", Data: data, Tags: tags });
  const options = { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body };
  const answer = await exchange(`${cu.replace(/\/$/, "")}/dry-run?process-id=${target}`, options, 10).catch(() => null);
  const result = answer?.status === 200 ? parse(answer.text) : null;
  if (!Array.isArray(result?.Messages) || result.Error) return "unknown";
  return holdsPatch(result) || handlerSaid(result) ? "answers" : "silent";
}

/** Reads what the process made of message `id`, asking for two minutes while the compute unit is still at it.
 *  Each answer that is not the result yet is given to `meanwhile`, in the unit's own words. */
export async function readResult(cu, process, id, meanwhile, seconds = 120) {
  const until = Date.now() + seconds * 1000;
  for (let pause = 1; ; pause = Math.min(pause * 1.5, 8)) {
    const answer = await attempt(`${cu.replace(/\/$/, "")}/result/${id}?process-id=${process}`);
    const result = answer?.status === 200 ? parse(answer.text) : null;
    if (result && ["Messages", "Output", "Error"].some((name) => name in result)) return result;
    const over = Date.now() + pause * 1000 > until;
    if (answer && over) throw new Refused("compute", words(answer.text), answer.status);
    if (over) throw new NoAnswer(new URL(cu).host);
    if (answer && !comesLater(answer)) throw new Refused("compute", words(answer.text), answer.status);
    meanwhile(answer ? plain(words(answer.text), 300) : "");
    await new Promise((wake) => setTimeout(wake, pause * 1000));
  }
}

/** Tells whether the process answered by showing its state: a message for the node's patch device. */
export function holdsPatch(result) {
  const messages = Array.isArray(result?.Messages) ? result.Messages : [];
  return messages.some((message) =>
    (Array.isArray(message?.Tags) ? message.Tags : []).some(
      (tag) => String(tag?.name).toLowerCase() === "device" && tag?.value === "patch@1.0",
    ),
  );
}

/** Gives the line in which our handler says what came of it; "" where no handler of ours spoke. */
export function handlerSaid(result) {
  return plain(JSON.stringify(result?.Output ?? "").match(/StatePatch: [^"\\]*/)?.[0], 300);
}

async function attempt(url) {
  try {
    return await exchange(url, { headers: { Accept: "application/json" } }, 30);
  } catch (error) {
    if (error instanceof NoAnswer) return null;
    throw error;
  }
}

// 202: still computing. 404: not there yet. 429 and 5xx: busy. 200 here: something in between that is no compute unit.
const comesLater = ({ status }) => [200, 202, 404, 429].includes(status) || status >= 500;

/** Follows redirects, as the old network sends people on to numbered hosts; the page's policy says which may answer. */
async function exchange(url, options, seconds) {
  try {
    const response = await fetch(url, {
      ...options, redirect: "follow", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(seconds * 1000),
    });
    return { ok: response.ok, status: response.status, text: await response.text() };
  } catch {
    throw new NoAnswer(new URL(url).host);
  }
}

/** Reads a JSON object; null where the text is none. */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** Gives what a unit said, whether as JSON or as plain text. */
function words(text) {
  const body = parse(text);
  const said = body?.error ?? body?.message ?? body ?? text;
  if (typeof said !== "string") return JSON.stringify(said);
  return said.trimStart().startsWith("<!") || !said.trim() ? "(no words came with it)" : said;
}
