// The sandbox's Discord as this page knows it: who is there, what was said, and what a person can do.
// The shapes are those that sandbox/discord/people_http.py describes.

const ROOT = "/sandbox/discord/";

async function call(path, body = undefined) {
  const response = await fetch(ROOT + path, body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (answer.kind === "TheBotDidNotAnswer") throw new Error("The application did not respond. Is the bot running?");
  throw new Error(answer.error ?? `Discord answered ${response.status}.`);
}

const query = (values) => new URLSearchParams(values).toString();

export class Discord {
  bot = null;
  people = []; // those that one can act as
  cast = {}; // the same by their part in the walk
  guild = null;
  channels = [];
  names = { users: new Map(), channels: new Map() };
  onMessage = () => {};
  onModal = () => {};
  onCommands = () => {};
  #dms = new Map(); // person → their DM with the bot
  #said = new Map(); // channel → Map of id → message
  #commands = new Map(); // "person channel" → what may be used there
  #modals = new Set(); // ids of those opened

  /** Fetches who and what there is. Throws an Error with a sentence. */
  async load(cast = this.cast) {
    for (const message of await this.#fetch(cast)) this.#keep(message);
    await this.loadCommands();
  }

  /** Fetches all but the commands, and gives the messages, which are not kept yet. */
  async #fetch(cast) {
    const seen = await Promise.all(Object.values(cast).map((person) => call(`state?${query({ person: person.id })}`)));
    const [{ bot, guilds: [guild] }] = seen;
    Object.assign(this, { cast, bot, people: seen.map((state) => state.me), guild, channels: guild.channels });
    for (const person of [...this.people, this.bot]) this.names.users.set(person.id, person.name);
    for (const channel of this.channels) this.names.channels.set(channel.id, channel.name);
    for (const state of seen) {
      const dm = state.dms.find((channel) => channel.with === this.bot.name);
      if (dm) this.#dms.set(state.me.id, dm.id);
    }
    return seen.flatMap((state) => [...state.guilds.flatMap((guild) => guild.channels), ...state.dms].flatMap((channel) => channel.messages));
  }

  async loadCommands() {
    const places = this.people.flatMap((person) => [...this.channels.map(({ id }) => id), this.dmOf(person.id)].filter(Boolean)
      .map((channel) => ({ person: person.id, channel })));
    await Promise.all(places.map(async (place) => {
      this.#commands.set(`${place.person} ${place.channel}`, await call(`commands?${query(place)}`).catch(() => []));
    }));
  }

  dmOf(person) {
    return this.#dms.get(person) ?? null;
  }

  isGuildChannel(channel) {
    return this.channels.some(({ id }) => id === channel);
  }

  isMine(person, channel) {
    return this.isGuildChannel(channel) || this.dmOf(person) === channel;
  }

  sees(person, message) {
    return this.isMine(person, message.channel) && [null, undefined, person].includes(message.only_for);
  }

  messages(person, channel) {
    return [...(this.#said.get(channel)?.values() ?? [])].filter((message) => this.sees(person, message));
  }

  commandsFor(person, channel) {
    return (this.#commands.get(`${person} ${channel}`) ?? []).filter((command) => command.type === 1);
  }

  messageCommandsFor(person, channel) {
    return (this.#commands.get(`${person} ${channel}`) ?? []).filter((command) => command.type === 3);
  }

  choices() {
    return {
      users: this.people.map(({ id, name }) => ({ value: id, label: name })),
      channels: this.channels.map(({ id, name }) => ({ value: id, label: `# ${name}` })),
      roles: [],
    };
  }

  // --- What a person does. Each throws an Error with the sentence that Discord's client would show. -------------------

  async slash(person, channel, command, options, files) {
    const packed = Object.fromEntries(await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await pack(file)])));
    this.#take(await call("slash", { person, channel, command: command.name, options, files: packed }));
  }

  async suggest(person, channel, command, options, focused) {
    return (await call("autocomplete", { person, channel, command: command.name, options, focused })).choices;
  }

  async press(person, message, component, values) {
    if (values) this.#take(await call("choose", { person, message: message.id, select: component.custom_id, values }));
    else this.#take(await call("press", { person, message: message.id, button: component.custom_id }));
  }

  async submit(person, modal, given) {
    const values = Object.fromEntries(await Promise.all(Object.entries(given).map(async ([name, value]) =>
      [name, Array.isArray(value) && value[0] instanceof File ? await Promise.all(value.map(pack)) : value])));
    this.#take(await call("submit", { person, modal: modal.id, values }));
  }

  async messageCommand(person, channel, command, message) {
    this.#take(await call("message-command", { person, channel, message: message.id, command: command.name }));
  }

  closeDms = (person, closed) => call("dms", { person, closed }).then(() => {
    this.people.find(({ id }) => id === person).dms_closed = closed;
  });
  write = (person, channel, content) => call("say", { person, channel, content });
  dismiss = (person, message) => call("dismiss", { person, message: message.id });

  #take(reply) {
    // Edits come through the feed, and may have overtaken this answer: what is known already is newer.
    for (const message of [reply.message, ...(reply.followups ?? [])]) if (message) this.#hearOfNew(message);
    if (reply.modal) this.#open(reply.modal);
  }

  // --- What arrives ---------------------------------------------------------------------------------------------------

  /** Takes an Event, as the page's one feed brings it. */
  async arrived(event) {
    switch (event.type) {
      case "message": return this.#hear(event.message);
      case "message_deleted": {
        const gone = this.#said.get(event.channel)?.get(event.id);
        this.#said.get(event.channel)?.delete(event.id);
        return gone && this.onMessage(gone, false);
      }
      case "modal": return this.#open(event.modal);
      case "channel": // its first message may have come before or after this
        (await this.#fetch(this.cast)).forEach((message) => this.#hearOfNew(message));
        return this.loadCommands();
      case "bot":
        if (event.online) await this.loadCommands();
        return this.onCommands(event.online);
      default: return undefined;
    }
  }

  #hear(message) {
    const isNew = this.#keep(message);
    this.onMessage(message, isNew);
  }

  #hearOfNew(message) {
    if (!this.#said.get(message.channel)?.has(message.id)) this.#hear(message);
  }

  #keep(message) {
    if (!this.#said.has(message.channel)) this.#said.set(message.channel, new Map());
    const said = this.#said.get(message.channel);
    const isNew = !said.has(message.id);
    said.set(message.id, message);
    return isNew;
  }

  #open(modal) {
    if (this.#modals.has(modal.id)) return;
    this.#modals.add(modal.id);
    this.onModal(modal);
  }
}

/** A browser's File as { name, data: base64 }. */
async function pack(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { name: file.name, data: btoa(text) };
}
