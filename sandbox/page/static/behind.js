// The side panel: how the bot is, what one can make happen, and what is really said about the processes.

import { $, announce, icon, make } from "./dom.js";

const WORDS = { patched: "patched", not_patched: "not patched", unknown: "unknown", not_found: "not found" };
const STATES = { running: "The bot is running", starting: "The bot is starting", down: "The bot is down" };

let state = null; // what GET /sandbox/api/state last said
let looks = new Map();
let shown = null; // which process is open
let looking = false;

export async function ask(path, method = "GET", body = undefined) {
  const response = await fetch(`/sandbox/api/${path}`, {
    method, headers: body === undefined ? {} : { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`The sandbox answered ${response.status}.`);
  return response.json();
}

/** Shows a new state, as /sandbox/api/state and the feed give it. `dms`: { closed, close(closed) } of the person one acts as. */
export function showState(next, dms) {
  state = next;
  shown ??= state.seeds.at(-1).process; // where the recipe is wrong
  drawBot();
  drawSwitches(dms);
  drawProcesses();
}

/** Has the processes looked at again. */
export async function lookAgain() {
  if (looking) return;
  looking = true;
  drawProcesses();
  try {
    looks = new Map((await ask("looks")).map((look) => [look.process, look]));
  } finally {
    looking = false;
    drawProcesses();
  }
}

function drawBot() {
  const since = state.bot.pid ? `process ${state.bot.pid}` : "no process";
  const starts = state.bot.starts === 1 ? "started once" : `started ${state.bot.starts} times`;
  const line = make("div", { className: "bot-line" }, make("span", { className: "lamp" }),
    make("div", {}, make("b", {}, STATES[state.bot.state]),
      make("small", {}, `${since} · ${starts}`)));
  line.dataset.state = state.bot.state;
  $("bot").replaceChildren(line);
}

function drawSwitches(dms) {
  const down = state.nodes.filter((node) => node.down).length;
  const all = state.nodes.length;
  const days = Math.round(state.ahead / 86400);
  $("switches").replaceChildren(make("h3", {}, "Make something happen"), make("div", { className: "grid" },
    switch_("skip", "Skip a day", days ? `${days} ${days === 1 ? "day" : "days"} ahead` : "for everyone", null, () => ask("skip-day", "POST", {})),
    switch_("kill", "Kill the bot now", "a new one starts", null, () => ask("kill", "POST", {})),
    switch_("node", "Node down", down ? `${down} of ${all} down` : `all ${all} answer`, down > 0, () => ask("nodes", "POST", { down: [1, all][down] ?? 0 })),
    switch_("door", "Close my DMs", dms.closed ? "closed" : "open", dms.closed, () => dms.close(!dms.closed))));
}

function switch_(drawing, name, note, pressed, turn) {
  const button = make("button", { type: "button", className: "switch" }, icon(drawing), make("b", {}, name), make("small", {}, note));
  button.id = `switch-${drawing}`;
  if (pressed !== null) button.setAttribute("aria-pressed", String(pressed));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await turn();
      announce(`${name}: done.`);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

function drawProcesses() {
  const opened = [...document.querySelectorAll("#processes details")].map((details) => details.open);
  const look = looks.get(shown);
  const again = make("button", { type: "button", className: "small", disabled: looking }, looking ? "Looking…" : "Look again");
  again.addEventListener("click", () => lookAgain());
  const seed = state.seeds.find((candidate) => candidate.process === shown);
  $("processes").replaceChildren(
    make("div", { className: "head" }, make("h3", {}, "The demo wallet's processes"), again),
    make("div", { className: "pick" }, state.seeds.map((candidate) => pick(candidate))),
    make("div", { className: "look" },
      make("div", { className: "head" }, make("b", {}, seed.label), copyButton(seed.process)),
      make("code", { className: "id" }, seed.process),
      look ? [raw(look.raw), recipe(look), ours(look.ours)] : make("p", { className: "subtext" }, "Asking the nodes…")));
  document.querySelectorAll("#processes details").forEach((details, index) => (details.open = opened[index] ?? false));
}

function pick(seed) {
  const verdict = looks.get(seed.process)?.ours.verdict;
  const button = make("button", { type: "button", "aria-pressed": String(seed.process === shown) },
    make("span", {}, make("b", {}, seed.label), make("small", {}, `At first: ${seed.note}`)), verdict && mark(verdict));
  button.addEventListener("click", () => {
    shown = seed.process;
    drawProcesses();
  });
  return button;
}

function copyButton(text) {
  const button = make("button", { type: "button", className: "small" }, "Copy id");
  button.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(text);
    button.textContent = "Copied";
  });
  return button;
}

const mark = (verdict) => make("span", { className: `mark ${verdict}` },
  icon({ patched: "check", not_patched: "cross" }[verdict] ?? "ask"), WORDS[verdict] ?? "no verdict");

function says(title, verdict, ...more) {
  return make("div", { className: "says" }, make("div", { className: "title" }, make("b", {}, title), verdict && mark(verdict)), more);
}

function raw(answer) {
  const status = answer.status === null ? `No answer: ${answer.failure}` : `HTTP/1.1 ${answer.status} ${answer.reason}`;
  const headers = answer.headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).join("\n");
  const short = answer.request.replace(/[A-Za-z0-9_-]{43}/, (id) => `${id.slice(0, 4)}…${id.slice(-4)}`);
  return says("A node's raw answer", null, make("pre", { tabIndex: 0 }, `${short}\n${status}`),
    headers && make("details", {}, make("summary", {}, "All headers"), make("pre", { tabIndex: 0 }, headers)));
}

function recipe(look) {
  const { verdict } = look.ours;
  const wrong = verdict === "patched" || verdict === "not_patched" ? "Wrong here. " : "Nobody can know. ";
  const differs = verdict && verdict !== look.recipe.verdict;
  return says("The usual recipe", look.recipe.verdict, make("p", {}, differs && make("strong", {}, wrong), look.recipe.because));
}

/** The bot's verdict with its reason: what the rule needed for it (ao-facts, "The verdict"), as the evidence has it. */
function ours(verdict) {
  if (verdict.error) return says("Patchbell", null, make("p", {}, verdict.error));
  const nodes = new Set(verdict.evidence.map((one) => one.node)).size;
  const who = nodes === 1 ? "One node" : `${nodes} nodes`;
  const why = {
    patched: `${who} show${nodes === 1 ? "s" : ""} ${verdict.exposed.join(" and ")}.`,
    not_patched: `${who} know it, have computed all of it, and list nothing of its own.`,
    not_found: "Nobody knows it as an AO process.",
    unknown: "No answer settles it, so nothing is claimed and nobody is reminded.",
  }[verdict.verdict];
  return says("Patchbell", verdict.verdict, make("p", {}, why),
    make("details", {}, make("summary", {}, `The evidence: ${verdict.requests} requests`),
      make("ul", { className: "evidence" }, verdict.evidence.map(sighting))));
}

function sighting(one) {
  const path = one.path.replace(/^\/[A-Za-z0-9_-]{43}~process@1\.0\//, "…/");
  return make("li", {}, make("code", {}, path),
    make("span", {}, `${one.status ?? "no answer"}, ${one.reason} · ${one.node.replace(/^https?:\/\//, "")} · ${one.elapsed_ms} ms`));
}
