// A modal: labelled fields over the page, sent or thrown away.

import { $, make } from "./dom.js";
import { markdown } from "./markdown.js";
import { select } from "./components.js";

const TYPE = { textInput: 4, upload: 19, radio: 21, checkboxes: 22, checkbox: 23 };

/** Opens a Modal (sandbox/discord/people_http.py). send(values) takes { custom_id: value }; it may reject with a sentence.
 *  `typed` is put into the first empty text field. */
export function openModal(modal, context, send, typed = "") {
  const dialog = $("modal");
  const readers = new Map();
  const trouble = make("p", { className: "trouble", role: "alert" });
  const submit = make("button", { type: "submit", className: "button primary" }, "Submit");
  const cancel = make("button", { type: "button", className: "button secondary" }, "Cancel");
  const form = make("form", { method: "dialog" },
    make("h2", { id: "modal-title" }, modal.title),
    modal.texts.map((text) => make("div", { className: "text" }, markdown(text, context.names))),
    modal.fields.map((component) => labelled(component, context, readers)),
    trouble,
    make("div", { className: "row end" }, cancel, submit));
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    submit.disabled = true;
    trouble.textContent = "";
    try {
      await send(Object.fromEntries([...readers].map(([name, read]) => [name, read()])));
      dialog.close();
    } catch (error) {
      trouble.textContent = error.message;
    } finally {
      submit.disabled = false;
    }
  });
  dialog.replaceChildren(form);
  const empty = [...form.querySelectorAll("input[type=text], textarea")].find((field) => !field.value);
  if (typed && empty) empty.value = typed;
  dialog.showModal();
}

function labelled(component, context, readers) {
  const { element, read } = field(component, context);
  readers.set(component.custom_id, read);
  const group = element.tagName === "FIELDSET";
  return make(group ? "div" : "label", { className: "entry" },
    make("span", {}, component.label, component.required === false && make("small", {}, "optional")),
    component.description && make("small", { className: "subtext" }, component.description), element);
}

function field(component, context) {
  const required = component.required !== false;
  switch (component.type) {
    case TYPE.textInput: {
      const common = {
        name: component.custom_id, value: component.value ?? "", placeholder: component.placeholder ?? "", required,
        maxLength: component.max_length ?? 4000, minLength: component.min_length ?? 0,
      };
      const element = component.style === 2 ? make("textarea", { ...common, rows: 4 }) : make("input", { ...common, type: "text", autocomplete: "off" });
      return { element, read: () => element.value };
    }
    case TYPE.checkbox: {
      const element = make("input", { type: "checkbox", name: component.custom_id, checked: component.default });
      return { element, read: () => element.checked };
    }
    case TYPE.radio: case TYPE.checkboxes: return ticks(component, required);
    case TYPE.upload: {
      const element = make("input", { type: "file", name: component.custom_id, required, multiple: (component.max_values ?? 1) > 1 });
      return { element, read: () => [...element.files] };
    }
    default: {
      let values = (component.options ?? []).filter((option) => option.default).map((option) => option.value);
      const element = select(component, context, (chosen) => (values = chosen));
      if (element.tagName === "SELECT") element.required = required;
      return { element, read: () => values };
    }
  }
}

function ticks(component, required) {
  const type = component.type === TYPE.radio ? "radio" : "checkbox";
  const boxes = component.options.map((option) => make("input", {
    type, name: component.custom_id, value: option.value, checked: option.default, required: required && type === "radio",
  }));
  const element = make("fieldset", { className: "several" }, component.options.map((option, index) => make("label", {}, boxes[index],
    make("span", {}, option.label, option.description && make("small", {}, option.description)))));
  const values = () => boxes.filter((box) => box.checked).map((box) => box.value);
  return { element, read: () => (type === "radio" ? values()[0] ?? null : values()) };
}
