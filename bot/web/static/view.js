// What you read. Everything from outside becomes text, never markup. Nothing here signs or sends.

import { NoAnswer, Refused, plain } from "./ao.js";

export const $ = (id) => document.getElementById(id);
export const WALLET_ASKS = "Your wallet asks you now. If no window opens, press its icon in the browser's bar.";

/** Says what went wrong, in our words, with the other side's own as code. */
export function explain(error) {
  if (error instanceof NoAnswer) return trouble(`${error.host} did not answer. Nothing is lost: try again in a moment.`);
  if (!(error instanceof Refused)) {
    console.error(error);
    return trouble("Something on this page broke. Reload it: nothing is lost. It said:", plain(error, 300));
  }
  if (error.by === "messenger") return trouble(`${whyNotTaken(error)} It said:`, `${error.status} ${error.said}`);
  if (error.by === "compute") {
    return trouble("The network has your message, but did not show what came of it. It said:", `${error.status} ${error.said}`);
  }
  if (/cancel|reject|denied|closed/i.test(error.said)) {
    return trouble("You closed your wallet's question, so nothing was signed. Start again whenever you like.");
  }
  if (/\block/i.test(error.said)) return trouble("Your wallet is locked. Unlock it, then start again. It said:", error.said);
  return trouble("Your wallet did not do it, and nothing was sent. It said:", error.said);
}

function whyNotTaken({ said, status }) {
  if (/not whitelisted|not allowed/i.test(said)) {
    return "The network did not take your message. This process lives on the old network's closed list: its app's " +
      "developers must have it admitted, or move it.";
  }
  if (/read_only/i.test(said)) {
    return "The network did not take your message. It takes none for this process any more: its app's developers must move it.";
  }
  if (status === 429 || status >= 500) return "The network could not take your message just now. Try again in a minute.";
  return "The network did not take your message.";
}

/** Says for whom the link was made, and lists its processes. */
export function introduce(link, open) {
  const until = new Date(link.expires_at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
  const community = link.community ? [" in ", bold(link.community)] : [];
  $("for").replaceChildren("Made for ", bold(link.name || "you"), ...community, ` · works until ${until}`);
  $("title").textContent = open === 1 ? "One message to sign" : `${open || "No"} messages to sign`;
  $("steps").hidden = false;
  $("list").replaceChildren(...link.processes.map((process) => {
    const state = make("span", "", "state");
    state.id = `state-${process.process}`;
    return make("li", [...heading(process), state]);
  }));
  link.processes.forEach((process) => mark(process, process.status === "patched" ? "patched" : "waiting"));
  $("listed").hidden = link.processes.length === 1;
}

let shown = false; // whatever follows the first message is brought into sight

/** Shows one process, and the message exactly as it will be signed and sent. */
export function show(process, { target, tags, data }, mu) {
  const installs = tags[0].value === "Eval";
  mark(process, "now");
  $("process").hidden = $("about").hidden = false;
  $("process-title").replaceChildren(...heading(process));
  $("facts").replaceChildren(
    ...fact("Process", make("code", process.process)), ...fact("Called", process.name && make("code", plain(process.name))),
    ...fact("Owner", process.owner ? make("code", process.owner) : "No gateway could say. Only the owner's signature counts."),
    ...fact("Will show", process.keys?.length && make("code", plain(process.keys.join(", "), 200))),
  );
  $("what").textContent = installs
    ? "This runs the Lua below once inside your process, as its owner. It adds the handler that shows your state to " +
      "HyperBEAM nodes, and keeps it fresh."
    : "This asks your process to show its state to HyperBEAM nodes, so that apps can read it.";
  $("tags").tBodies[0].replaceChildren(...[
    ["Target", target], ...tags.map(({ name, value }) => [name, value]),
    ["Data", installs ? `the Lua below, ${new TextEncoder().encode(data).length} bytes` : "one space"],
  ].map(([name, value]) => make("tr", [make("th", name), make("td", [make("code", value)])])));
  $("lua").textContent = installs ? data : "";
  $("lua").hidden = !installs;
  $("cannot").replaceChildren(...[
    "It moves no tokens and carries no amount.", "It gives nobody your wallet, your keys or your process.",
    `It goes from this page to ${new URL(mu).host}, not through Patchbell.`,
  ].map((line) => make("li", line)));
  if (shown) $(installs ? "what-title" : "process").scrollIntoView({ block: "start" });
  shown = true;
}

const STATES = { waiting: "waiting", now: "now", skipped: "skipped", sent: "sent", checking: "being checked",
  seen: "seen once, being confirmed", patched: "patched", later: "not shown yet" };

/** Writes a process's state into the list, and gives `outcome` back. */
export function mark(process, state, outcome) {
  const place = $(`state-${process.process}`);
  place.textContent = STATES[state];
  place.dataset.state = state;
  return outcome;
}

/** Moves the step indicator, and says what to do now. */
export function at(step, sentence = "", kind = "") {
  [...$("steps").children].forEach((item, index) => {
    item.className = index + 1 < step ? "done" : "";
    item.ariaCurrent = index + 1 === step ? "step" : null;
  });
  say(sentence, kind);
}

/** Says what to do now. `kind` colours it: good, bad or wait. */
export function say(sentence, kind = "") {
  $("say").textContent = sentence;
  $("act").dataset.kind = kind;
}

/** Says what went wrong, or what somebody else said, above what to do now. */
export function trouble(sentence, words = "") {
  $("trouble").textContent = sentence;
  $("words").textContent = words;
  $("words").hidden = !words;
  if (sentence) $("act").scrollIntoView({ block: "nearest" });
}

export const calm = () => trouble("");

let answer = () => {};

/** Shows buttons, the first as the main one, and gives the label of the one that was pressed, or "changed". */
export function press(...labels) {
  return new Promise((resolve) => {
    answer = (label) => {
      if ($("buttons").contains(document.activeElement)) $("act").focus({ preventScroll: true });
      $("buttons").replaceChildren();
      answer = () => {};
      if (label !== "changed") calm();
      resolve(label);
    };
    const buttons = labels.map((label) => {
      const button = make("button", label);
      Object.assign(button, { type: "button", disabled: true, onclick: () => answer(label) });
      return button;
    });
    $("buttons").replaceChildren(...buttons);
    // The second half of a double click on the button that was here before must not press this one.
    setTimeout(() => buttons.forEach((button) => (button.disabled = false)), 400);
  });
}

/** Answers the buttons that wait, because something in the wallet changed. */
export const changed = () => answer("changed");

const make = (tag, content, name = "") => {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...[content].flat()); // strings become text, never markup
  return element;
};
const bold = (text) => make("b", plain(text));
const fact = (name, value) => (value ? [make("dt", name), make("dd", [value].flat())] : []);
export const short = (id) => `${id.slice(0, 4)}…${id.slice(-4)}`;
export const nameOf = (process) => plain(process.label || process.name) || short(process.process);
const heading = (process) => {
  const code = make("code", short(process.process));
  const name = plain(process.label || process.name);
  return name ? [make("span", name, "name"), " ", code] : [code];
};
export const count = (number) => (number === 1 ? "one" : String(number));
