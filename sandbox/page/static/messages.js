// The messages of one channel as one person sees them.

import { $, icon, make } from "./dom.js";
import { attachment, components, placed } from "./components.js";
import { markdown } from "./markdown.js";
import { clock, day } from "./time.js";

const ROW = 1;

/** Redraws all. `context`: { names, bot, me, choices, act(message, component, values), dismiss(message), apps: [{ name, run(message) }] }. */
export function drawMessages(messages, context, fresh = null) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const top = list.scrollTop;
  const items = [];
  let last = "";
  for (const message of messages) {
    const date = day(message.at);
    if (date !== last) items.push(make("li", { className: "day" }, date));
    last = date;
    items.push(drawMessage(message, context, message.id === fresh));
  }
  if (!messages.length) items.push(make("li", { className: "empty" }, context.empty));
  list.replaceChildren(...items);
  list.scrollTop = atEnd || fresh ? list.scrollHeight : top;
}

/** Scrolls to the newest message. */
export function toNewest() {
  $("messages").scrollTop = $("messages").scrollHeight;
}

function drawMessage(message, context, fresh) {
  const own = message.ephemeral;
  const item = make("li", { className: `message${own ? " ephemeral" : ""}${fresh ? " new" : ""}` });
  item.dataset.id = message.id;
  item.append(...[used(message, context), avatar(message.author, context), who(message), body(message, context), own && only(message, context),
    apps(message, context)].filter(Boolean));
  return item;
}

export function avatar(user, context) {
  if (user.id === context.bot.id) return make("span", { className: "avatar bot", "aria-hidden": "true" }, icon("bell"));
  const element = make("span", { className: "avatar", "aria-hidden": "true" }, [...user.name][0].toUpperCase());
  element.style.setProperty("--hue", String([...user.name].reduce((sum, letter) => sum * 13 + letter.codePointAt(0), 0) % 360));
  return element;
}

function used(message, context) {
  if (!message.via?.command) return null; // a press or a dialog has no name to show
  const { user, command } = message.via;
  const whose = user === context.names.users.get(context.me) ? "You" : user;
  return make("p", { className: "used" }, make("b", {}, whose), " used ", make("span", { className: "command" }, /\p{Lu}/u.test(command) ? command : `/${command}`));
}

function who(message) {
  return make("p", { className: "who" },
    make("b", {}, message.author.name),
    message.author.bot && make("span", { className: "app" }, "APP"),
    make("time", { dateTime: message.at }, clock(message.at)));
}

function body(message, context) {
  if (message.loading) return make("div", { className: "body thinking" }, `${message.author.name} is thinking`);
  const inner = { ...context, act: (component, values) => context.act(message, component, values) };
  const laidOut = message.components.some((component) => component.type !== ROW); // then only files named in it show
  return make("div", { className: "body" },
    message.content && make("div", { className: "text" }, markdown(message.content, context.names)),
    components(message.components, inner),
    !laidOut && message.files.map((file) => attachment({ ...file, url: placed(file.url) })),
    message.edited && !laidOut && make("span", { className: "edited" }, "(edited)"));
}

function only(message, context) {
  const dismiss = make("button", { type: "button" }, "Dismiss message");
  dismiss.addEventListener("click", () => context.dismiss(message));
  return make("p", { className: "only" }, icon("eye"), "Only you can see this", "·", dismiss);
}

/** Message commands: what one may have the bot do with a message. */
function apps(message, context) {
  if (!context.apps.length || message.ephemeral) return null;
  const menu = make("details", { className: "apps" }, make("summary", { "aria-label": "Apps" }, icon("more")));
  const list = make("div", {});
  menu.append(list);
  for (const app of context.apps) {
    const button = make("button", { type: "button" }, app.name);
    button.addEventListener("click", () => {
      menu.open = false;
      app.run(message);
    });
    list.append(button);
  }
  return menu;
}
