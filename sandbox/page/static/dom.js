// A few helpers to make elements. Text always becomes text, never markup.

/** make("button", { className: "main", onclick }, "Press", [more, nodes]) */
export function make(tag, properties = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.includes("-") || name === "role" || name === "for" || name === "list") element.setAttribute(name, value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element[name] = value;
  }
  element.append(...content.flat(3).filter((node) => node !== null && node !== undefined && node !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

/** One of our own drawings, by the name it has in icons.svg. */
export function icon(name, label = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  if (label) svg.setAttribute("aria-label", label);
  else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `/sandbox/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Says something to people who listen to the page instead of looking at it. */
export function announce(sentence) {
  $("said").textContent = sentence;
}
