// The strip at the top: the whole loop in five steps, each with a button that takes one there.

import { $, announce, icon, make } from "./dom.js";

/** The steps. `after` is what must happen for the next one; `go` is what its button does; `within`: still the step before. */
const STEPS = [
  {
    title: "Press Enter.", after: "registered", button: "Type it for me",
    text: ({ owner }) => `You are ${owner.name} and own two processes that are not patched. The command is typed below.`,
    go: (app) => app.type("owner", "register", { process: app.unpatched().join(" ") }),
  },
  {
    title: "See the DM.", after: "dm-seen", button: "Open the DM",
    text: (_, { dmsClosed, hasDm }) => (hasDm
      ? "Patchbell has written to you. The safe word in it is what a fake bot cannot know."
      : dmsClosed
        ? "Your DMs are closed, so Patchbell's message was refused. Switch “Close my DMs” off, then press Try again in its answer."
        : "Patchbell writes to you in a moment (after a refusal, once you press Try again in its answer)."),
    go: (app) => app.openDm("owner"),
  },
  {
    title: "Press Sign.", after: "signed", button: "Open the DM",
    text: () => "It opens the signing page in a new tab, with a demo wallet whose key is worth nothing.",
    go: (app) => app.openDm("owner"),
  },
  {
    title: "See it turn patched.", after: "patched", button: "Open the DM",
    text: () => "The bot looks at the nodes by itself, and writes to you when they show it. Look behind the scenes, too.",
    go: (app) => app.openDm("owner"),
  },
  {
    title: "Announce it as a moderator.", after: "announced", button: "Type it for me",
    text: ({ moderator }) => `Act as ${moderator.name}, send /announce, fill in the form, then press Post.`,
    go: (app) => app.type("moderator", "announce", {}, "announcements"),
  },
  {
    title: "Register for it.", after: "joined", button: "Go there", within: true,
    text: ({ owner }) => `Act as ${owner.name} again and press “Register my process” below the announcement.`,
    go: (app) => app.go("owner", "announcements"),
  },
  {
    title: "See the progress.", after: "progress", button: "Type it for me", within: true,
    text: ({ moderator }) => `${moderator.name}'s /progress counts the processes, not the people: who they are stays theirs.`,
    go: (app) => app.type("moderator", "progress", {}, "announcements"),
  },
];
const COUNT = STEPS.filter((step) => !step.within).length;

export class Guide {
  /** `app` does what the buttons say; `key` is this run of the sandbox, so that another run begins anew. */
  constructor(app, key) {
    Object.assign(this, { app, key: `guide-${key}` });
    const kept = sessionStorage.getItem(this.key);
    this.at = kept === null ? 0 : Number(kept);
    this.draw();
  }

  /** Tells whether the present step waits for this. */
  awaits(happened) {
    return STEPS[this.at]?.after === happened;
  }

  /** Hears what happened. Anything but what the present step waits for changes nothing. */
  note(happened) {
    if (!this.awaits(happened)) return;
    this.go(this.at + 1);
    announce(this.at < STEPS.length ? `Next: ${STEPS[this.at].title}` : "That was the whole loop.");
  }

  go(step) {
    this.at = step;
    sessionStorage.setItem(this.key, String(step));
    this.draw();
  }

  draw() {
    const done = this.at >= STEPS.length;
    const step = STEPS[this.at];
    const number = STEPS.slice(0, this.at + 1).filter((candidate) => !candidate.within).length;
    const dots = Array.from({ length: COUNT }, (_, index) =>
      make("li", { className: done || index + 1 < number ? "done" : index + 1 === number ? "now" : "" }));
    const button = make("button", { type: "button", className: `button ${done ? "secondary" : "primary"}` }, done ? "Begin again" : step.button);
    button.addEventListener("click", () => {
      if (done) this.go(0);
      STEPS[this.at].go(this.app);
    });
    $("guide").replaceChildren(
      make("span", { className: `count${done ? " done" : ""}` }, done ? [icon("check"), " Done"] : `${number} of ${COUNT}`),
      make("p", { className: "what" }, make("strong", {}, done ? "That was the whole loop." : step.title),
        make("span", {}, done ? "Now break something: skip a day, kill the bot, take a node down, close your DMs." : step.text(this.app.cast, this.app))),
      make("ol", { className: "steps", "aria-hidden": "true" }, dots),
      button);
  }
}
