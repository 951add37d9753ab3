// The messages of one channel as one person sees them.

import { $, icon, make } from "./dom.js";
import { attachment, components } from "./components.js";
import { markdown } from "./markdown.js";
import { clock, day } from "./time.js";

const EPHEMERAL = 64;
const LOADING = 128;
const COMPONENTS_V2 = 32768;

export const isEphemeral = (message) => Boolean(message.flags & EPHEMERAL);
export const isLoading = (message) => Boolean(message.flags & LOADING);

/** Redraws all. `context`: { names, bot, me, choices, act(message, component, values), dismiss(message), apps: [{ name, run(message) }] }. */
export function drawMessages(messages, context, fresh = null) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const top = list.scrollTop;
  const items = [];
  let last = "";
  for (const message of messages) {
    const date = day(message.timestamp);
    if (date !== last) items.push(make("li", { className: "day" }, date));
    last = date;
    items.push(drawMessage(message, context, message.id === fresh));
  }
  if (!messages.length) items.push(make("li", { className: "empty" }, context.empty));
  list.replaceChildren(...items);
  list.scrollTop = atEnd || fresh ? list.scrollHeight : top;
}

function drawMessage(message, context, fresh) {
  const own = isEphemeral(message);
  const item = make("li", { className: `message${own ? " ephemeral" : ""}${fresh ? " new" : ""}` });
  item.dataset.id = message.id;
  item.append(...[used(message, context), avatar(message.author, context), who(message), body(message, context), own && only(message, context),
    apps(message, context)].filter(Boolean));
  return item;
}

/** What a person is called on the page. */
export const nameOf = (user) => user.name ?? user.global_name ?? user.username;

export function avatar(user, context) {
  if (user.id === context.bot.id) return make("span", { className: "avatar bot", "aria-hidden": "true" }, icon("bell"));
  const element = make("span", { className: "avatar", "aria-hidden": "true" }, [...nameOf(user)][0].toUpperCase());
  element.style.setProperty("--hue", String((Number(BigInt(user.id) % 997n) * 47) % 360));
  return element;
}

function used(message, context) {
  const name = message.interaction?.name ?? message.interaction_metadata?.name;
  if (!name) return null;
  const user = message.interaction?.user ?? message.interaction_metadata.user;
  const whose = user.id === context.me ? "You" : nameOf(user);
  return make("p", { className: "used" }, make("b", {}, whose), " used ", make("span", { className: "command" }, name.startsWith("/") ? name : `/${name}`));
}

function who(message) {
  return make("p", { className: "who" },
    make("b", {}, nameOf(message.author)),
    message.author.bot && make("span", { className: "app" }, "APP"),
    make("time", { dateTime: message.timestamp }, clock(message.timestamp)));
}

function body(message, context) {
  if (isLoading(message)) return make("div", { className: "body thinking" }, `${nameOf(message.author)} is thinking`);
  const inner = { ...context, attachments: message.attachments ?? [], act: (component, values) => context.act(message, component, values) };
  const shown = Boolean(message.flags & COMPONENTS_V2);
  return make("div", { className: "body" },
    message.content && make("div", { className: "text" }, markdown(message.content, context.names)),
    components(message.components ?? [], inner),
    !shown && (message.attachments ?? []).map((file) => attachment({ url: file.url, name: file.filename, size: file.size })),
    message.edited_timestamp && !shown && make("span", { className: "edited" }, "(edited)"));
}

function only(message, context) {
  const dismiss = make("button", { type: "button" }, "Dismiss message");
  dismiss.addEventListener("click", () => context.dismiss(message));
  return make("p", { className: "only" }, icon("eye"), "Only you can see this", "·", dismiss);
}

/** Message commands: what one may have the bot do with a message. */
function apps(message, context) {
  if (!context.apps.length || isEphemeral(message)) return null;
  const menu = make("details", { className: "apps" }, make("summary", { "aria-label": "Apps" }, icon("more")));
  for (const app of context.apps) {
    const button = make("button", { type: "button" }, app.name);
    button.addEventListener("click", () => {
      menu.open = false;
      app.run(message);
    });
    menu.append(button);
  }
  return menu;
}
