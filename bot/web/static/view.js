// What you read. Everything from outside becomes text, never markup. Nothing here signs or sends.

import { NoAnswer, Refused, plain } from "./ao.js";
import { ticketed } from "./bot.js";

export const $ = (id) => document.getElementById(id);
export const WALLET_ASKS = "Your wallet asks you now. If no window opens, press its icon in the browser's bar.";

/** Says what went wrong, in our words, with the other side's own as code. `of`: how many it happened to, where not to all. */
export function explain(error, of = 0) {
  const some = of ? `${of} of your messages are not on their way. ` : "";
  if (error instanceof NoAnswer) return trouble(`${some}${error.host} did not answer. Nothing is lost: try again in a moment.`);
  if (!(error instanceof Refused)) {
    console.error(error);
    return trouble("Something on this page broke. Reload it: nothing is lost. It said:", plain(error, 300));
  }
  const said = error.status ? `${error.status} ${error.said}` : error.said;
  if (error.by === "messenger") return trouble(`${some}${whyNotTaken(error)} It said:`, said);
  if (error.by === "compute") return trouble(`The network has your message, but ${whyNotShown(error)} It said:`, said);
  if (/cancel|reject|denied|closed/i.test(said)) {
    return trouble("You closed your wallet's question, so nothing was signed. Start again whenever you like.");
  }
  if (/\block/i.test(said)) return trouble("Your wallet is locked. Unlock it, then start again. It said:", said);
  return trouble("Your wallet did not do it, and nothing was sent. It said:", said);
}

/** Whether the messenger unit's no is one that no owner can change. */
export const isClosed = ({ said, status }) => status < 500 && /not whitelisted|not allowed|read_only/i.test(said);

function whyNotTaken(error) {
  const { said, status } = error;
  if (isClosed(error)) {
    const rest = ticketed ? " Patchbell won't remind you meanwhile." : "";
    return /read_only/i.test(said)
      ? `The network takes no message for this process any more: its app's developers must move it.${rest}`
      : "The network did not take your message. This process lives on the old network's closed list: its app's developers " +
        `must have it admitted, or move it.${rest}`;
  }
  if (status < 300) return "Something answered that is no messenger unit, or took it for another message. See if it arrived.";
  if (status === 429) return "The network is busy. Your message is kept here: send it again in a minute.";
  if (status >= 500) return "The network broke while it took your message. See if it arrived, or send it again in a minute.";
  return "The network did not take your message.";
}

function whyNotShown({ status }) {
  if (status === 403) return "this compute unit does not work for your process. The nodes may.";
  if (status === 429) return "its compute unit is busy.";
  if (status === 202) return "is still at it, as can be with old processes.";
  if (status === 404) return "its compute unit has not heard of it. If you closed this page too early, it never left: sign again.";
  return status >= 500 ? "its compute unit broke." : "did not show what came of it.";
}

/** Says for whom the link was made, and for how much. Which processes they are is not known yet. */
export function introduce(link) {
  if (ticketed) {
    const until = new Date(link.expires_at).toLocaleDateString(undefined, { day: "numeric", month: "long", year: "numeric" });
    const community = link.community ? [" in ", bold(link.community)] : [];
    $("for").replaceChildren("Made for ", bold(link.name || "you"), ...community, ` · works until ${until}`);
  } else $("for").replaceChildren("For whoever owns ", make("code", link.process));
  $("title").textContent = link.open === 1 ? "One message to sign" : `${link.open || "No"} messages to sign`;
  $("steps").hidden = false;
  if (!ticketed) $("sure-dm").remove();
}

/** Lists the processes of the account that is connected now. */
export function list(processes) {
  $("list").replaceChildren(...processes.map((process) => {
    const state = make("span", "", "state");
    state.id = `state-${process.process}`;
    return make("li", [...heading(process), state]);
  }));
  for (const process of processes) mark(process, process.status === "patched" ? "patched" : process.blocked ? "blocked" : "waiting");
  $("listed").hidden = processes.length < 2;
}

let shown = false; // whatever follows the first message is brought into sight

/** Shows the messages exactly as they will be signed and sent: those that differ in their target alone as one. */
export function show(processes, messages, link) {
  const alone = processes.length === 1;
  processes.forEach((process) => mark(process, "now"));
  $("process").hidden = false;
  $("process-title").replaceChildren(...(alone ? heading(processes[0]) : [`${processes.length} processes, one message each`]));
  const groups = new Map();
  messages.forEach(({ tags, data }, index) => {
    const alike = JSON.stringify([tags, data]);
    groups.set(alike, [...(groups.get(alike) ?? []), index]);
  });
  $("messages").replaceChildren(...[...groups.values()].map((indexes) =>
    oneMessage(messages[indexes[0]], indexes.map((index) => processes[index]), link)));
  $("cannot").replaceChildren(...[
    "It moves no tokens and carries no amount.", "It gives nobody your wallet, your keys or your process.",
    `It goes from this page to ${new URL(link.network.mu).host}, not through Patchbell.`,
  ].map((line) => make("li", line)));
  $("about").hidden = !alone;
  if (alone) about(processes[0]);
  if (shown) $("process").scrollIntoView({ block: "start" });
  shown = true;
}

function oneMessage({ target, tags, data }, processes, link) {
  const installs = tags[0].value === "Eval";
  const [first] = processes;
  const rows = [
    ["Target", processes.length === 1 ? target : `each of these ${processes.length}`],
    ...tags.map(({ name, value }) => [name, value]),
    ["Data", installs ? `the Lua code below, ${new TextEncoder().encode(data).length} bytes` : "one space"],
  ].map(([name, value]) => make("tr", [make("th", name), make("td", [make("code", value)])]));
  rows.forEach((row) => (row.firstChild.scope = "row"));
  const head = make("thead", [make("tr", ["Field", "As it is sent"].map((name) => Object.assign(make("th", name), { scope: "col" })))]);
  const table = make("table", [head, make("tbody", rows)], "tags");
  table.ariaLabel = "What your wallet will sign, field by field";
  const keys = link.templates[first.template].keys;
  return make("div", [
    make("p", installs ? "Your wallet signs code for your process, shown whole below: it makes your state readable for apps, and keeps " +
      "it fresh." : "Your wallet signs a message that asks your process to show its state, so that apps can read it.", "what"),
    ...(keys.length ? [make("p", ["Anyone will be able to read: ", make("b", plain(keys.join(", "), 300))], "reads")] : []),
    make("h3", "Details"),
    ...(processes.length > 1 ? [region("ul", processes.map((process) => make("li", [make("code", process.process), " ",
      ...(nameOf(process) === short(process.process) ? [] : [make("span", nameOf(process), "name")])])), "targets",
      installs ? "Processes that get the code" : "Processes that are asked")]
      : []),
    table,
    ...(installs ? [region("pre", data, "lua", "The whole Lua that will be signed")] : []),
  ], "message");
}

/** Makes a part that scrolls, and can be reached by keyboard. */
const region = (tag, content, name, label) => {
  const outer = make("div", [make(tag, content)], name);
  return Object.assign(outer, { tabIndex: 0, role: "region", ariaLabel: label });
};

function about(process) {
  $("facts").replaceChildren(
    ...fact("Process", make("code", process.process)), ...fact("Called", process.name && make("code", plain(process.name))),
    ...fact("Owner", process.owner ? make("code", process.owner) : "No gateway could say. Only the owner's signature counts."),
  );
}

const STATES = { waiting: "waiting", now: "now", skipped: "skipped", sent: "sent", checking: "being checked",
  seen: "seen once, being confirmed", patched: "patched", later: "not shown yet", blocked: "you can't", refused: "refused",
  waits: "for its developers" };

/** Writes a process's state into the list, and keeps what it came to in the end. */
export function mark(process, state, outcome = null) {
  process.outcome = outcome;
  const place = $(`state-${process.process}`);
  if (!place) return; // another account is shown now
  place.textContent = STATES[state];
  place.dataset.state = state;
}

/** Says how far the nodes are. The seconds are for the eye alone: nobody wants to hear each. */
export function progress(done, left, began) {
  if (!$("clock").textContent) $("clock").hidden = false;
  const seconds = Math.round((Date.now() - began) / 1000);
  $("clock").textContent = left ? `${done + left > 1 ? `${done} of ${done + left} · ` : ""}${seconds} s` : "";
  $("clock").hidden = !left;
}

/** Says what all came to. */
export function conclude(todo, others) {
  const outcomes = todo.map(({ outcome }) => outcome);
  const signed = outcomes.filter((outcome) => ["patched", "seen", "later"].includes(outcome));
  const skipped = outcomes.filter((outcome) => outcome === "skipped").length;
  const rest = (skipped ? ` You skipped ${count(skipped)}: open this link again when you are ready.` : "") +
    (others ? ` ${others === 1 ? "One more belongs" : `${others} more belong`} to another account.` : "");
  if (signed.length) $("title").textContent = signed.every((outcome) => outcome === "patched") ? "Done" : "Signed and sent";
  const writes = ticketed ? ", and writes to you when it is done" : "";
  if (signed.includes("later")) {
    at(4, "Signed and sent. The nodes don't show all of it yet, which can take a while on old processes. You can close this " +
      `page: ${ticketed ? "Patchbell goes on checking" : "look again later"}${writes}.${rest}`, "wait");
  } else if (signed.includes("seen")) {
    at(4, "Signed, sent, and seen once. Patchbell calls it done when another node agrees, which can take up to a day" +
      `${writes}. You can close this page.${rest}`, "wait");
  } else if (signed.length) at(5, `Done. Apps can read what you signed for. You can close this page.${rest}`, "good");
  else say(`Nothing was signed.${rest}`, "wait");
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

export const make = (tag, content, name = "") => {
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
