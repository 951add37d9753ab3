// The sandbox's time, which can be days ahead of this machine's, and Discord's ways of writing it.

let ahead = 0; // milliseconds

export const setAhead = (milliseconds) => (ahead = milliseconds);
export const now = () => Date.now() + ahead;

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" },
  S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function relative(milliseconds) {
  const seconds = Math.round((milliseconds - now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

/** <t:1700000000:R> as an element that stays right: `tick` renews the relative ones. */
export function timestamp(seconds, style = "f") {
  const at = seconds * 1000;
  const element = document.createElement("time");
  element.dateTime = new Date(at).toISOString();
  element.title = new Date(at).toLocaleString("en-GB", STYLES.F);
  if (style === "R") element.dataset.relative = at;
  element.textContent = style === "R" ? relative(at) : new Date(at).toLocaleString("en-GB", STYLES[style] ?? STYLES.f);
  return element;
}

export function tick() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const text = relative(Number(element.dataset.relative));
    if (element.textContent !== text) element.textContent = text;
  }
}

export const clock = (iso) => new Date(iso).toLocaleTimeString("en-GB", { timeStyle: "short" });
export const day = (iso) => new Date(iso).toLocaleDateString("en-GB", { dateStyle: "full" });
