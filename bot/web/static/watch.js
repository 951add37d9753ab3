// Follows what the nodes show of each process that was signed for, until it can be read.

import { statusOf, tellSigned } from "./bot.js";
import { mark, progress } from "./view.js";

const watching = new Map();
let polled = null;

/** Follows one, with all others that are watched, for two minutes at most. */
export function watch(process) {
  mark(process, "checking");
  watching.set(process.process, { process, id: process.id, step: process.step, told: false, seen: "later", times: 0 });
  polled ??= poll();
}

/** Gives a promise of the end of what is watched now, or null where nothing is. */
export const watched = () => polled;

async function poll() {
  const began = Date.now();
  let ended = 0;
  while (watching.size) {
    const all = [...watching.values()];
    await tell(all.filter(({ told }) => !told));
    await new Promise((wake) => setTimeout(wake, all[0].times < 3 ? 800 : 3000));
    const news = await statusOf(all.map(({ process }) => process));
    for (const each of all) {
      if (!isOver(each, news)) continue;
      mark(each.process, each.seen, each.seen);
      watching.delete(each.process.process);
      ended += 1;
    }
    progress(ended, watching.size, began);
  }
  polled = null;
}

async function tell(untold) {
  if (!untold.length) return;
  const items = untold.map(({ process, id, step }) => ({ process, id, step }));
  if (await tellSigned(items)) untold.forEach((each) => (each.told = true));
}

function isOver(each, news) {
  const { status, latest, checking } = news?.[each.process.process] ?? {};
  each.times += 1;
  if (latest === "patched") each.seen = "seen";
  if (status === "patched") each.seen = "patched";
  return each.seen === "patched" || each.times >= 40 || (news && each.told && !checking);
}
