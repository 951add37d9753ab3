// Calls the page's own ao.js on a real server, once for each path given, and prints what came of each as JSON.
import { pathToFileURL } from "node:url";

const [page, server, ...paths] = process.argv.slice(2);
const { handlerSaid, holdsPatch, plain, post, readResult } = await import(pathToFileURL(page));
const id = "0".repeat(43);

for (const path of paths) {
  const meanwhile = [];
  const unit = `${server}/${path}`;
  const call = path.startsWith("mu-") ? post(unit, new Uint8Array(3)) : readResult(unit, id, id, (said) => meanwhile.push(said), 3);
  const came = await call.then(
    (result) => ({ result, patch: holdsPatch(result), handler: handlerSaid(result) }),
    (error) => ({ error: error.constructor.name, said: plain(error.said ?? "", 1000), status: error.status }),
  );
  process.stdout.write(`${JSON.stringify({ path, meanwhile, ...came })}\n`);
}
