// Discord's message components, drawn. Pressing, choosing and opening are handed to `act`.

import { icon, make } from "./dom.js";
import { markdown } from "./markdown.js";

const TYPE = {
  row: 1, button: 2, stringSelect: 3, textInput: 4, userSelect: 5, roleSelect: 6, mentionableSelect: 7, channelSelect: 8,
  section: 9, text: 10, thumbnail: 11, gallery: 12, file: 13, separator: 14, container: 17, label: 18,
};
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

/** Draws a list of components. `context` is { names, act, choices }; act(component, values?) returns a promise. */
export const components = (list, context) => list.map((component) => component_(component, context)).filter(Boolean);

function component_(component, context) {
  switch (component.type) {
    case TYPE.row: return make("div", { className: "row" }, components(component.components, context));
    case TYPE.button: return button(component, context);
    case TYPE.text: return make("div", { className: "text" }, markdown(component.content, context.names));
    case TYPE.section: return section(component, context);
    case TYPE.separator: return make("hr", { className: `gap${component.spacing ?? 1}${component.divider === false ? " bare" : ""}` });
    case TYPE.container: return container(component, context);
    case TYPE.thumbnail: return picture(component.media, component.description, "thumbnail");
    case TYPE.gallery: return make("div", { className: "gallery" }, component.items.map((item) => picture(item.media, item.description, "")));
    case TYPE.file: return file(component.file);
    case TYPE.stringSelect: case TYPE.userSelect: case TYPE.roleSelect: case TYPE.mentionableSelect: case TYPE.channelSelect:
      return make("div", { className: "select" }, select(component, context, (values) => context.act(component, values)));
    default: return make("p", { className: "subtext" }, `(a component of type ${component.type}, which this page cannot draw)`);
  }
}

function container(component, context) {
  const element = make("div", { className: "container" }, components(component.components, context));
  if (Number.isInteger(component.accent_color)) {
    element.style.setProperty("--accent", `#${component.accent_color.toString(16).padStart(6, "0")}`);
    element.classList.add("accented");
  }
  return element;
}

function section(component, context) {
  return make("div", { className: "section" },
    make("div", {}, components(component.components, context)),
    component.accessory && make("div", { className: "accessory" }, component_(component.accessory, context)));
}

function emoji(component) {
  return component.emoji?.name ? make("span", { className: "emoji", "aria-hidden": "true" }, component.emoji.name) : null;
}

function button(component, context) {
  const className = `button ${STYLES[component.style] ?? "secondary"}`;
  if (component.style === 5) {
    return make("a", { className, href: component.url, target: "_blank", rel: "noopener noreferrer" },
      emoji(component), component.label, icon("out", "opens a new tab"));
  }
  const element = make("button", { className, type: "button", disabled: component.disabled }, emoji(component), component.label);
  element.dataset.customId = component.custom_id;
  element.addEventListener("click", async () => {
    element.disabled = true;
    element.classList.add("busy");
    try {
      await context.act(component);
    } finally {
      element.disabled = Boolean(component.disabled);
      element.classList.remove("busy");
    }
  });
  return element;
}

/** The options to choose from: [{ label, value, description, default }]. People and channels come from `context.choices`. */
function optionsOf(component, context) {
  if (component.type === TYPE.stringSelect) return component.options;
  const chosen = new Set((component.default_values ?? []).map((value) => value.id));
  const kinds = { [TYPE.userSelect]: "users", [TYPE.channelSelect]: "channels", [TYPE.roleSelect]: "roles", [TYPE.mentionableSelect]: "users" };
  return (context.choices?.[kinds[component.type]] ?? []).map((option) => ({ ...option, default: chosen.has(option.value) }));
}

/** A native select: reachable by keyboard and right on a phone. Several values are ticked in a list, then confirmed. */
export function select(component, context, chosen) {
  const options = optionsOf(component, context);
  if ((component.max_values ?? 1) > 1) return several(component, options, chosen);
  const element = make("select", { "aria-label": component.placeholder ?? "Choose", disabled: component.disabled },
    make("option", { value: "", disabled: component.required !== false, selected: true }, component.placeholder ?? "Choose"),
    options.map((option) => make("option", { value: option.value, selected: option.default },
      option.description ? `${option.label} · ${option.description}` : option.label)));
  element.dataset.customId = component.custom_id;
  element.addEventListener("change", () => element.value && chosen([element.value]));
  return element;
}

function several(component, options, chosen) {
  const boxes = options.map((option) => make("input", { type: "checkbox", value: option.value, checked: option.default }));
  const values = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const confirm = make("button", { type: "button", className: "button secondary" }, "Choose");
  const limits = () => {
    const count = values().length;
    confirm.disabled = component.disabled || count < (component.min_values ?? 1) || count > component.max_values;
  };
  const element = make("fieldset", { className: "several", disabled: component.disabled },
    make("legend", {}, component.placeholder ?? "Choose"),
    options.map((option, index) => make("label", {}, boxes[index], make("span", {}, option.label,
      option.description && make("small", {}, option.description)))),
    confirm);
  element.dataset.customId = component.custom_id;
  element.addEventListener("change", limits);
  confirm.addEventListener("click", () => chosen(values()));
  limits();
  return element;
}

/** Files of messages are served by the sandbox's Discord, on this page's own origin. */
export const placed = (url) => (url.startsWith("files/") ? `/sandbox/discord/${url}` : url);

function picture(media, description, className) {
  return make("img", { className, src: placed(media.url), alt: description ?? "", loading: "lazy" });
}

function file({ url }) {
  return attachment({ url: placed(url), name: decodeURIComponent(url.split("/").at(-1)) });
}

/** A file to download: { url, name, size in bytes }. */
export function attachment({ url, name, size }) {
  return make("a", { className: "file", href: url, download: name, target: "_blank", rel: "noopener" },
    icon("file"), make("span", {}, name), size !== undefined && make("small", {}, `${Math.max(1, Math.round(size / 1024))} KB`));
}
