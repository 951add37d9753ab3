// The list that opens above a field while one types: commands, or suggestions for an option. One at a time.

import { $, make } from "./dom.js";

let open = null;

/** Shows `entries` ([{ title, note, hint }]) for `field`; `pick(entry)` is called with the one that was chosen. */
export function showList(field, entries, pick) {
  hideList();
  if (entries.length === 0) return;
  const list = $("choices");
  const items = entries.map((entry, index) => {
    const item = make("li", { id: `choice-${index}`, role: "option", "aria-selected": String(index === 0) },
      make("strong", {}, entry.title), entry.hint && make("code", {}, entry.hint), entry.note && make("span", {}, entry.note));
    item.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    item.addEventListener("click", () => choose(index));
    return item;
  });
  list.replaceChildren(...items);
  list.hidden = false;
  field.setAttribute("aria-expanded", "true");
  open = { field, entries, items, pick, at: 0 };
  mark(0);
}

export function hideList() {
  if (!open) return;
  open.field.setAttribute("aria-expanded", "false");
  open.field.removeAttribute("aria-activedescendant");
  open = null;
  $("choices").hidden = true;
  $("choices").replaceChildren();
}

export const isListOpen = (field) => open?.field === field;

/** Lets the arrow keys move, Enter and Tab choose, Escape close. True when the key was used up. */
export function listKey(event) {
  if (!open || open.field !== event.target) return false;
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) mark((open.at + moves[event.key] + open.items.length) % open.items.length);
  else if (event.key === "Enter" || event.key === "Tab") choose(open.at);
  else if (event.key === "Escape") hideList();
  else return false;
  event.preventDefault();
  return true;
}

function mark(index) {
  open.items.forEach((item, position) => item.setAttribute("aria-selected", String(position === index)));
  open.at = index;
  open.field.setAttribute("aria-activedescendant", open.items[index].id);
  open.items[index].scrollIntoView({ block: "nearest" });
}

function choose(index) {
  const { entries, pick } = open;
  hideList();
  pick(entries[index]);
}
