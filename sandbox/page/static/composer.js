// Where one types: a slash command with its options as fields, or plain words.

import { $, icon, make } from "./dom.js";
import { hideList, isListOpen, listKey, showList } from "./listbox.js";

const OPTION = { string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, number: 10, file: 11 };

/** `deps`: commands() → what may be typed here; choices() → { users, channels, roles }; suggest(command, values, option),
 *  run(command, values, files), write(text): promises. */
export class Composer {
  constructor(form, deps) {
    Object.assign(this, { form, deps, command: null, fields: new Map(), waiting: 0 });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    form.addEventListener("keydown", (event) => this.key(event));
    this.clear();
  }

  /** Back to an empty line. */
  clear() {
    hideList();
    this.command = null;
    this.fields.clear();
    this.line = make("input", {
      type: "text", id: "words", className: "words", autocomplete: "off", spellcheck: false, placeholder: "Type / to see what Patchbell can do",
      role: "combobox", "aria-label": "Message or command", "aria-expanded": "false", "aria-controls": "choices", "aria-autocomplete": "list",
    });
    this.line.addEventListener("input", () => this.offer());
    this.draw([this.line]);
  }

  /** Types a command, as far as one would: its name, and these values. */
  type(name, values = {}) {
    const command = this.deps.commands().find((candidate) => candidate.name === name);
    if (command) this.take(command, values);
    return Boolean(command);
  }

  focus() {
    const first = [...this.fields.values()].find((field) => !field.value) ?? [...this.fields.values()].at(-1) ?? this.line;
    (this.fields.size ? first : this.command ? this.sender : this.line).focus();
  }

  draw(content) {
    this.sender = make("button", { type: "submit", className: "send", "aria-label": "Send" }, icon("send"));
    this.form.replaceChildren(make("div", { className: "line" }, content), this.sender);
  }

  offer() {
    const typed = this.line.value;
    if (!typed.startsWith("/")) return hideList();
    const whole = this.deps.commands().find((command) => typed.startsWith(`/${command.name} `));
    if (whole) return this.takeTyped(whole, typed.slice(whole.name.length + 2).trim());
    const wanted = typed.slice(1).toLowerCase();
    const found = this.deps.commands().filter((command) => command.name.startsWith(wanted));
    showList(this.line, found.map((command) => ({ title: `/${command.name}`, note: command.description, command })),
      (entry) => {
        this.take(entry.command);
        this.focus();
      });
  }

  /** A command that is typed whole, with a space behind it, is taken; what follows goes into its first option. */
  takeTyped(command, rest) {
    const first = command.options.find((option) => option.type === OPTION.string);
    this.take(command, first ? { [first.name]: rest } : {});
    this.focus();
  }

  take(command, values = {}) {
    hideList();
    this.command = command;
    this.fields.clear();
    this.line = null;
    this.more = make("div", { className: "more" });
    const chip = make("span", { className: "command" }, `/${command.name}`);
    this.options = make("div", { className: "options" });
    this.draw([chip, this.options, this.more]);
    for (const option of command.options) {
      if (option.required || option.name in values) this.add(option, values[option.name]);
    }
    this.offerMore();
  }

  offerMore() {
    const left = this.command.options.filter((option) => !this.fields.has(option.name));
    this.more.replaceChildren(...left.map((option) => {
      const button = make("button", { type: "button", className: "add", title: option.description }, `+ ${option.name}`);
      button.addEventListener("click", () => {
        this.add(option);
        this.offerMore();
        this.fields.get(option.name).focus();
      });
      return button;
    }));
  }

  add(option, value = "") {
    const field = this.field(option);
    if (option.type !== OPTION.file) field.value = value;
    if (value && field.type === "text") field.setSelectionRange(0, 0); // long ids: their beginning is what one knows them by
    field.dataset.option = option.name;
    this.fields.set(option.name, field);
    this.options.append(make("label", { className: "option", title: option.description },
      make("span", {}, option.name), field));
    if (option.autocomplete) field.addEventListener("focus", () => this.suggest(option, field));
  }

  field(option) {
    const chosen = this.listed(option);
    if (chosen) {
      return make("select", { required: option.required }, make("option", { value: "" }, "…"),
        chosen.map((choice) => make("option", { value: choice.value }, choice.label)));
    }
    if (option.type === OPTION.file) return make("input", { type: "file", required: option.required });
    const number = option.type === OPTION.integer || option.type === OPTION.number;
    const field = make("input", {
      type: number ? "number" : "text", required: option.required, autocomplete: "off", spellcheck: false, placeholder: option.description,
      role: "combobox", "aria-expanded": "false", "aria-controls": "choices", "aria-autocomplete": "list",
    });
    if (option.autocomplete) field.addEventListener("input", () => this.suggest(option, field));
    return field;
  }

  listed(option) {
    if (option.choices?.length) return option.choices.map((choice) => ({ value: String(choice.value), label: choice.name }));
    if (option.type === OPTION.boolean) return [{ value: "true", label: "yes" }, { value: "false", label: "no" }];
    const kind = { [OPTION.user]: "users", [OPTION.channel]: "channels", [OPTION.role]: "roles" }[option.type];
    return kind ? this.deps.choices()[kind] : null;
  }

  async suggest(option, field) {
    const turn = ++this.waiting;
    const command = this.command;
    const found = await this.deps.suggest(command, this.values(), option.name).catch(() => []);
    if (turn !== this.waiting || command !== this.command || document.activeElement !== field) return;
    showList(field, found.map((choice) => ({ title: choice.name, value: String(choice.value) })), (entry) => {
      field.value = entry.value;
    });
  }

  values() {
    const values = {};
    for (const option of this.command.options) {
      const field = this.fields.get(option.name);
      if (!field || option.type === OPTION.file || field.value === "") continue;
      if (option.type === OPTION.boolean) values[option.name] = field.value === "true";
      else if (option.type === OPTION.integer || option.type === OPTION.number) values[option.name] = Number(field.value);
      else values[option.name] = field.value;
    }
    return values;
  }

  files() {
    return Object.fromEntries(this.command.options.filter((option) => option.type === OPTION.file)
      .map((option) => [option.name, this.fields.get(option.name)?.files[0]]).filter(([, file]) => file));
  }

  key(event) {
    if (listKey(event)) return;
    if (event.key === "Escape" && this.command) {
      this.clear();
      this.line.focus();
    }
    if (event.key === "Backspace" && this.command && event.target.value === "" && event.target.tagName === "INPUT") {
      event.preventDefault();
      this.clear();
      this.line.focus();
    }
  }

  async send() {
    if (this.line && isListOpen(this.line)) return;
    if (this.command) {
      if (!this.form.reportValidity()) return;
      const sent = [this.command, this.values(), this.files()];
      this.clear();
      this.line.focus();
      await this.deps.run(...sent);
    } else if (this.line.value.trim()) {
      const text = this.line.value;
      this.clear();
      this.line.focus();
      await this.deps.write(text);
    }
  }
}

export const composerOf = (deps) => new Composer($("composer"), deps);
