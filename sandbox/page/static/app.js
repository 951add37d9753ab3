// The page: who one is, where one is, what was said there, and everything that ties the parts together.

import { $, announce, icon, make } from "./dom.js";
import { ask, lookAgain, showState } from "./behind.js";
import { Discord } from "./discord.js";
import { Guide } from "./guide.js";
import { composerOf } from "./composer.js";
import { avatar, drawMessages, toNewest } from "./messages.js";
import { openModal } from "./modal.js";
import { setAhead, tick } from "./time.js";

const discord = new Discord();
const unread = new Map(); // "person channel" → how many
let state; // of the sandbox: /sandbox/api/state
let me; // id of the person one acts as
let place; // id of the channel one is in
let guide;

const composer = composerOf({
  commands: () => (me ? discord.commandsFor(me, place) : []),
  choices: () => discord.choices(),
  suggest: (command, values, focused) => discord.suggest(me, place, command, values, focused),
  run: (command, values, files) => tried(() => discord.slash(me, place, command, values, files)),
  write: (text) => tried(() => discord.write(me, place, text)),
});

// --- What the guide's buttons do --------------------------------------------------------------------------------------

const app = {
  get cast() {
    return discord.cast;
  },
  get dmsClosed() {
    return discord.people.find(({ id }) => id === discord.cast.owner.id).dms_closed;
  },
  get hasDm() {
    const dm = discord.dmOf(discord.cast.owner.id);
    return Boolean(dm) && discord.messages(discord.cast.owner.id, dm).length > 0;
  },
  unpatched: () => state.seeds.slice(0, 2).map((seed) => seed.process),
  go(role, channel) {
    become(discord.cast[role].id, discord.channels.find(({ name }) => name === channel)?.id ?? state.home);
    view("chat");
  },
  type(role, command, values, channel) {
    app.go(role, channel);
    const there = composer.type(command, values);
    if (!there) trouble("The bot's commands are not there yet. Wait a moment, then try again.");
    composer.focus();
    return there;
  },
  openDm(role) {
    const person = discord.cast[role].id;
    const dm = discord.dmOf(person);
    if (!dm) return trouble("There is no DM yet.");
    become(person, dm);
    view("chat");
  },
};

// --- Who and where ----------------------------------------------------------------------------------------------------

function become(person, channel) {
  me = person;
  go(channel ?? (discord.isMine(me, place) ? place : state.home));
  drawPeople();
  showPanel();
}

function go(channel) {
  place = channel;
  unread.delete(`${me} ${place}`);
  composer.clear();
  drawPlaces();
  drawChannel();
  toNewest();
  noteSeen();
}

function view(name) {
  document.body.dataset.view = name;
  if (name === "chat") toNewest();
  for (const button of $("tabs").children) button.toggleAttribute("aria-current", button.dataset.view === name);
}

function showPanel() {
  const person = discord.people.find(({ id }) => id === me);
  showState(state, { closed: person.dms_closed, close: (closed) => discord.closeDms(me, closed).then(() => (showPanel(), guide.draw())) });
}

// --- Drawing ----------------------------------------------------------------------------------------------------------

function drawPlaces() {
  $("guild").textContent = discord.guild.name;
  $("channels").replaceChildren(...discord.channels.map((channel) => placeButton(channel.id, icon("hash"), channel.name)));
  const dm = discord.dmOf(me);
  const bot = avatar(discord.bot, context());
  $("dms").replaceChildren(dm ? placeButton(dm, bot, discord.bot.name) : make("li", { className: "place" }, "None yet"));
  const elsewhere = [...unread].filter(([key]) => key.startsWith(`${me} `)).reduce((sum, [, count]) => sum + count, 0);
  const badge = document.querySelector("#tabs .badge");
  badge.hidden = !elsewhere;
  badge.textContent = elsewhere;
}

function placeButton(id, drawing, name) {
  const count = unread.get(`${me} ${id}`) ?? 0;
  const button = make("button", { type: "button", className: `place${count ? " unread" : ""}` }, drawing, make("span", { className: "name" }, name),
    count > 0 && make("span", { className: "badge", "aria-label": `${count} new` }, String(count)));
  if (id === place) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => {
    go(id);
    view("chat");
  });
  return make("li", {}, button);
}

function drawPeople() {
  const legend = $("people").querySelector("legend");
  $("people").replaceChildren(legend, ...discord.people.map((person, index) => {
    const radio = make("input", { type: "radio", name: "person", value: person.id, checked: person.id === me });
    radio.addEventListener("change", () => become(person.id));
    return make("label", { className: "person" }, radio, avatar(person, context()),
      make("span", {}, make("b", {}, person.name), make("small", {}, Object.values(state.cast)[index].about)));
  }));
}

function drawChannel(fresh = null) {
  const channel = discord.channels.find((candidate) => candidate.id === place);
  $("channel").replaceChildren(...(channel ? ["# ", channel.name] : [discord.bot.name]));
  $("topic").textContent = channel ? channel.topic ?? "" : "Only you and the bot read this.";
  drawMessages(discord.messages(me, place), context(), fresh);
}

function context() {
  return {
    me, bot: discord.bot, names: discord.names, choices: discord.choices(),
    empty: "Nothing was said here yet. Type / to see what Patchbell can do.",
    act: (message, component, values) => tried(() => discord.press(me, message, component, values)),
    dismiss: (message) => tried(() => discord.dismiss(me, message)),
    apps: me ? discord.messageCommandsFor(me, place).map((command) => ({
      name: command.name, run: (message) => tried(() => discord.messageCommand(me, place, command, message)),
    })) : [],
  };
}

function trouble(sentence) {
  $("trouble").textContent = sentence;
}

/** Does what a person did, and says so when Discord refuses it. */
async function tried(act) {
  trouble("");
  try {
    await act();
  } catch (error) {
    trouble(error.message);
  }
}

// --- What arrives -----------------------------------------------------------------------------------------------------

discord.onMessage = (message, isNew) => {
  const here = message.channel === place && discord.sees(me, message);
  if (isNew && !here) {
    for (const person of discord.people) {
      if (discord.sees(person.id, message) && message.author.id !== person.id) {
        const key = `${person.id} ${message.channel}`;
        unread.set(key, (unread.get(key) ?? 0) + 1);
      }
    }
  }
  if (here) drawChannel(isNew ? message.id : null);
  drawPlaces();
  noteMessage(message);
  if (isNew && here && message.author.bot) announce("New message from Patchbell.");
};

discord.onModal = (modal) => {
  if (modal.person === me) openModal(modal, context(), (values) => discord.submit(me, modal, values),
    guide.awaits("joined") ? app.unpatched().join(" ") : "");
};

let typed = false; // once: who threw it away with Escape writes something else
discord.onCommands = (online) => {
  if (!online || typed || !guide?.awaits("registered") || composer.command || composer.line.value) return;
  typed = app.type("owner", "register", { process: app.unpatched().join(" ") });
};

function noteMessage(message) {
  if (!guide) return;
  if (guide.awaits("dm-seen")) guide.draw(); // whether there is a DM by now
  const { owner, moderator } = discord.cast;
  const { via } = message;
  if (via?.user === owner.name && via.command === "register" && isSaved(message)) guide.note("registered");
  if (message.channel === discord.dmOf(owner.id) && message.author.bot) noteDm();
  if (message.author.bot && discord.isGuildChannel(message.channel) && !message.loading) {
    if (!message.ephemeral) guide.note("announced");
    else if (message.only_for === owner.id && isSaved(message)) guide.note("joined");
  }
  if (via?.user === moderator.name && via.command === "progress" && !message.loading) guide.note("progress");
}

/** Tells an answer to who registered from one that refuses, and from one that waits: only the first has the safe word. */
function isSaved(message) {
  return JSON.stringify(message.components ?? []).includes("Your safe word is");
}

let dmsWhenSigned = null;
function noteDm() {
  noteSeen();
  const count = discord.messages(discord.cast.owner.id, discord.dmOf(discord.cast.owner.id)).length;
  if (dmsWhenSigned !== null && count > dmsWhenSigned) {
    guide.note("patched");
    lookAgain();
  }
}

function noteSeen() {
  if (place && place === discord.dmOf(discord.cast.owner.id) && discord.messages(me, place).length) guide?.note("dm-seen");
}

/** Listens to the one feed that a tab holds: a browser allows an origin six lines at once, all tabs together. */
function listen() {
  const feed = new EventSource("/sandbox/api/feed");
  let last = Promise.resolve(); // one after the other: what a new channel is must be known before what is said in it
  feed.addEventListener("message", (event) => {
    last = last.then(() => take(JSON.parse(event.data))).catch((error) => trouble(error.message));
  });
  async function take(news) {
    if (news.type === "discord") await discord.arrived(news.event);
    if (news.type === "state") takeState(news);
    if (news.type === "signed") {
      const dm = discord.dmOf(discord.cast.owner.id);
      dmsWhenSigned ??= dm ? discord.messages(discord.cast.owner.id, dm).length : 0;
      guide.note("signed");
      setTimeout(lookAgain, 1500);
    }
  }
  feed.addEventListener("open", async () => {
    takeState(await ask("state"));
    await discord.load(); // something may have been missed before the line stood, or while it was broken
    discord.onCommands(discord.bot.online);
  });
}

function takeState(next) {
  const nodes = JSON.stringify(state?.nodes);
  state = next;
  setAhead(state.ahead * 1000);
  showPanel();
  if (nodes !== undefined && nodes !== JSON.stringify(state.nodes)) lookAgain();
}

// --- Start ------------------------------------------------------------------------------------------------------------

async function start() {
  state = await ask("state");
  setAhead(state.ahead * 1000);
  await discord.load(state.cast);
  guide = new Guide(app, state.run);
  for (const button of $("tabs").children) button.addEventListener("click", () => view(button.dataset.view));
  view("chat");
  become(discord.cast.owner.id, state.home);
  listen();
  discord.onCommands(discord.bot.online);
  lookAgain();
  setInterval(tick, 1000);
}

start().catch((error) => trouble(`The page could not start: ${error.message}`));
