// The part of Discord's markdown that people see most, made into elements. What is not known stays as it was typed.

import { make } from "./dom.js";
import { timestamp } from "./time.js";

/** Renders a text. `names` tells what <@id> and <#id> stand for: { users: Map, channels: Map }. */
export function markdown(text, names) {
  const blocks = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; ) {
    const taken = fence(lines, index) ?? quote(lines, index, names) ?? list(lines, index, names) ?? heading(lines, index, names);
    if (taken) {
      blocks.push(taken.element);
      index += taken.lines;
      continue;
    }
    let end = index + 1;
    while (end < lines.length && !startsBlock(lines[end])) end += 1;
    const paragraph = lines.slice(index, end).join("\n").trim();
    if (paragraph) blocks.push(make("p", {}, inline(paragraph, names)));
    index = end;
  }
  return blocks;
}

const startsBlock = (line) => /^(```|>>? |[-*] |\d+\. |#{1,3} |-# )/.test(line) || line.trim() === "";

function fence(lines, start) {
  if (!lines[start].startsWith("```")) return null;
  const sameLine = lines[start].match(/^```(.+)```$/);
  if (sameLine) return { element: make("pre", { tabIndex: 0 }, make("code", {}, sameLine[1])), lines: 1 };
  const end = lines.findIndex((line, index) => index > start && line.trimEnd().endsWith("```"));
  const last = end === -1 ? lines.length : end;
  const body = [...lines.slice(start + 1, last), ...(end === -1 ? [] : [lines[end].trimEnd().slice(0, -3)])].join("\n");
  return { element: make("pre", { tabIndex: 0 }, make("code", {}, body.replace(/\n$/, ""))), lines: last - start + 1 };
}

function quote(lines, start, names) {
  if (!/^> /.test(lines[start])) return null;
  let end = start;
  while (end < lines.length && /^> /.test(lines[end])) end += 1;
  const inner = lines.slice(start, end).map((line) => line.slice(2)).join("\n");
  return { element: make("blockquote", {}, markdown(inner, names)), lines: end - start };
}

function list(lines, start, names) {
  const marker = /^[-*] /.test(lines[start]) ? /^[-*] / : /^\d+\. /.test(lines[start]) ? /^\d+\. / : null;
  if (!marker) return null;
  let end = start;
  while (end < lines.length && marker.test(lines[end])) end += 1;
  const items = lines.slice(start, end).map((line) => make("li", {}, inline(line.replace(marker, ""), names)));
  return { element: make(marker.source.startsWith("^[") ? "ul" : "ol", {}, items), lines: end - start };
}

function heading(lines, start, names) {
  const found = lines[start].match(/^(#{1,3}|-#) (.*)$/);
  if (!found) return null;
  const [, mark, text] = found;
  const element = mark === "-#" ? make("p", { className: "subtext" }) : make("p", { className: `heading h${mark.length}` });
  if (mark !== "-#") {
    element.setAttribute("role", "heading");
    element.setAttribute("aria-level", String(mark.length + 2));
  }
  element.append(...inline(text, names));
  return { element, lines: 1 };
}

// Each rule: what to look for, and what to make of it. The earliest match in the text wins; then the first in this list.
const RULES = [
  [/\\([\\`*_~|<>[\]()#+\-.!:@])/, (found) => found[1]],
  [/``(.+?)``|`([^`\n]+)`/, (found) => make("code", {}, found[1] ?? found[2])],
  [/<t:(-?\d{1,12})(?::([tTdDfFRsS]))?>/, (found) => timestamp(Number(found[1]), found[2])],
  [/<@!?(\d+)>/, (found, names) => make("span", { className: "mention" }, `@${names.users.get(found[1]) ?? "somebody"}`)],
  [/<#(\d+)>/, (found, names) => make("span", { className: "mention" }, `#${names.channels.get(found[1]) ?? "a-channel"}`)],
  [/<\/([\w -]+):\d+>/, (found) => make("span", { className: "mention" }, `/${found[1]}`)],
  [/\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?\)/, (found, names) => link(found[2], inline(found[1], names))],
  [/<?(https?:\/\/[^\s<>]+[^\s<>.,;:!?)'"])>?/, (found) => link(found[1], [found[1]])],
  [/\*\*(.+?)\*\*/s, (found, names) => make("strong", {}, inline(found[1], names))],
  [/__(.+?)__/s, (found, names) => make("u", {}, inline(found[1], names))],
  [/~~(.+?)~~/s, (found, names) => make("s", {}, inline(found[1], names))],
  [/\*([^*\s](?:.*?[^*\s])?)\*/s, (found, names) => make("em", {}, inline(found[1], names))],
  [/(?<!\w)_([^_]+)_(?!\w)/s, (found, names) => make("em", {}, inline(found[1], names))],
  [/\n/, () => make("br")],
];

function inline(text, names) {
  let best = null;
  for (const [pattern, build] of RULES) {
    const found = pattern.exec(text);
    if (found && (!best || found.index < best.found.index)) best = { found, build };
  }
  if (!best) return text ? [text] : [];
  const { found, build } = best;
  const rest = text.slice(found.index + found[0].length);
  return [...(found.index ? [text.slice(0, found.index)] : []), build(found, names), ...inline(rest, names)];
}

export function link(address, content) {
  return make("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, content);
}
