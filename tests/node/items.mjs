// Data items by an independent library, warp-arbundles. Started with the folder that holds node_modules; stdin is one JSON:
// {jwk, target, tags, data, anchor, theirs}. On stdout: {made, verified}: an item it signed (base64), and whether it accepts the
// item `theirs` (base64) that we signed.
import { createRequire } from "node:module";
import { join } from "node:path";

const load = createRequire(join(process.argv[2], "package.json"));
const { ArweaveSigner, createData, DataItem } = load("warp-arbundles");

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { jwk, target, tags, data, anchor, theirs } = JSON.parse(input);

const signer = new ArweaveSigner(jwk);
const item = await createData(data, signer, { target, tags, ...(anchor ? { anchor } : {}) });
await item.sign(signer);
const verified = await DataItem.verify(Buffer.from(theirs, "base64"));
process.stdout.write(JSON.stringify({ made: item.getRaw().toString("base64"), id: await item.id, verified }));
