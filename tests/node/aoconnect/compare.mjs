// Does the same two calls through aoconnect and through the page's own ao.js, and prints what each asked of the wallet and
// of the network. Started with the folder that holds node_modules, the path of ao.js, and {process, mu, cu, lua, address}.
// Each item to sign goes out as a line {sign}; a line of base64 comes back: the same bytes for both.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, page, input] = process.argv.slice(2);
const { process: target, mu, cu, lua, address } = JSON.parse(input);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

let seen; // what the side whose turn it is has asked for
const wallet = {
  connect: async (permissions) => seen.permissions.push(...permissions),
  getActiveAddress: async () => address,
  signDataItem: async (item) => {
    seen.items.push(item);
    print({ sign: item });
    return Buffer.from((await lines.next()).value, "base64");
  },
};
globalThis.window = globalThis; // a browser's build of aoconnect looks for the wallet there
globalThis.arweaveWallet = wallet;
globalThis.fetch = async (url, { method = "GET", headers = {}, body } = {}) => {
  const sent = body && Buffer.from(body).toString("base64");
  seen.requests.push({ url: new URL(url).href, method, headers: Object.fromEntries(new Headers(headers)), body: sent });
  return new Response(method === "POST" ? '{"message":"Processing DataItem"}' : '{"Messages":[]}', { status: 200 });
};

async function watched(side) {
  seen = { permissions: [], items: [], requests: [], ids: [] };
  await side(seen.ids);
  return seen;
}

const require = createRequire(join(folder, "package.json"));
const aoconnect = await import(pathToFileURL(require.resolve("@permaweb/aoconnect/browser")));
const { message, result } = aoconnect.connect({ MODE: "legacy", MU_URL: mu, CU_URL: cu });
const theirs = await watched(async (ids) => {
  const signer = aoconnect.createDataItemSigner(wallet);
  ids.push(await message({ process: target, tags: [{ name: "Action", value: "EnableStatePatch" }], signer }));
  ids.push(await message({ process: target, tags: [{ name: "Action", value: "Eval" }], data: lua, signer }));
  await result({ process: target, message: ids[0] });
});

const ao = await import(pathToFileURL(page));
const ours = await watched(async (ids) => {
  await ao.connectWallet(wallet);
  for (const item of [ao.patchMessage(target, "EnableStatePatch"), ao.installMessage(target, lua)]) {
    const signed = await ao.sign(wallet, address, item);
    await ao.post(mu, signed.bytes);
    ids.push(signed.id);
  }
  await ao.readResult(cu, target, ids[0], () => {});
});

print({ theirs, ours });
process.exit(0); // aoconnect keeps timers
