// From "look at this" to "the network has it": consent, the wallet, and the messenger unit.

import { NoAnswer, Refused, connectWallet, installMessage, patchMessage, post, sign, signTogether } from "./ao.js";
import { cannot, forget, keep, ticketed } from "./bot.js";
import { cannotSign } from "./help.js";
import { WALLET_ASKS, at, explain, isClosed, mark, nameOf, press, say, short, show, trouble } from "./view.js";

/** Thrown where another account is active now: its list is another. */
export class Switched extends Error {}

/** Signs and sends for one account of one wallet. `together` tells whether it takes several in one question. */
export class Sender {
  constructor(link, wallet) {
    Object.assign(this, { link, wallet, address: null, together: typeof wallet.batchSignDataItem === "function" });
  }

  /** Asks the wallet for its active address, with a press first. Gives what was pressed. */
  async connect(label, ...others) {
    const choice = await press(label, ...others);
    if (choice !== label) return choice;
    say(WALLET_ASKS);
    try {
      this.address = await connectWallet(this.wallet);
    } catch (error) {
      explain(error);
    }
    return choice;
  }

  /** Gives the message that is to be signed for a process: one of two templates. */
  messageOf({ process, step, template }) {
    const { action, lua } = this.link.templates[template];
    return step === "install" ? installMessage(process, lua) : patchMessage(process, action);
  }

  /** Asks for the signatures until the messenger unit took them, or the person skips. Leaves `id` on each that is on its
   *  way. Gives "one by one" where they are to be asked for singly. */
  async send(processes) {
    const messages = processes.map((process) => this.messageOf(process));
    let unsent = null;
    let failure = null;
    for (;;) {
      show(processes, messages, this.link);
      const choice = unsent ? await offerAgain(unsent, failure) : await this.consent(processes);
      if (choice === "One by one") return choice;
      if (choice === "Skip this one" || choice === "Go on") return skip(processes);
      if (choice === "I can't" && (await cannotSign(processes))) return null;
      if (choice === "See if it arrived") return unsent.forEach((item) => (item.process.id = item.id));
      if (!/^(Sign|Send)/.test(choice)) continue;
      try {
        unsent ??= await this.sign(processes, messages);
        at(3, "Signed. Sending it to the network…");
        await keep(unsent); // before it is sent: whoever opens this link again then asks what came of it
        [unsent, failure] = await this.post(unsent);
        if (!unsent.length) return null;
        explain(failure, unsent.length < processes.length ? unsent.length : 0);
      } catch (error) {
        explain(error);
        if (processes.length > 1 && error instanceof Refused && /local wallets|hardware|not supported/i.test(error.said)) {
          this.together = false;
          trouble("Your wallet can't sign several in one go, so it asks for each. It said:", error.said);
          return "One by one";
        }
      }
    }
  }

  /** Shows the buttons that fit, and gives the one that was pressed. */
  async consent(processes) {
    const before = this.address;
    const many = processes.length > 1;
    const foreign = processes.find(({ owner }) => owner !== before);
    const installs = processes.some(({ step }) => step === "install");
    if (foreign) {
      at(2, `This wallet, ${short(before)}, is not the owner of ${nameOf(foreign)}: ` +
        (foreign.owner ? `that is ${short(foreign.owner)}. ` : "no gateway could say who is. ") +
        "Signed by this one, the message does nothing, unless the process was handed over to it.", "bad");
    } else if (many) at(2, `Look at the messages above. Your wallet asks once for all ${processes.length}.`);
    else if (installs) {
      at(2, "This process can't show its state yet. You can add the code for that, and it does so at once. Look at it above, then " +
        "sign it.");
    } else at(2, `Connected as ${short(before)}. Look at the message above, then sign it.`);
    const first = many ? `Sign all ${processes.length}` : foreign ? "Sign anyway" : installs ? "Sign and install" : "Sign";
    const second = many ? ["One by one"] : this.link.all > 1 ? ["Skip this one"] : [];
    const choice = await press(first, ...second, "I can't");
    if (this.address !== before) throw new Switched();
    return choice;
  }

  async sign(processes, messages) {
    at(2, WALLET_ASKS);
    const items = messages.length > 1 ? await signTogether(this.wallet, this.address, messages)
      : [await sign(this.wallet, this.address, messages[0])];
    return items.map((item, index) => ({ ...item, process: processes[index], step: processes[index].step }));
  }

  /** Sends each; gives those that were not taken, and why the last of them was not. */
  async post(items) {
    let failure = null;
    const slow = setTimeout(() => say("The network is slow to answer. Your signed message is kept here…"), 8000);
    const left = await pooled(items, async (item) => {
      try {
        await post(this.link.network.mu, item.bytes, item.id);
        item.process.id = item.id;
        if (item.process.refused) cannot([item.process], null)?.catch(() => null);
        return null;
      } catch (error) {
        failure = error;
        await noteRefusal(item.process, error);
        return item;
      }
    });
    clearTimeout(slow);
    return [left.filter(Boolean), failure];
  }
}

/** What was certainly not taken is forgotten; where its owner can do nothing about that, the bot is told. */
async function noteRefusal(process, error) {
  if (!(error instanceof Refused) || error.status < 400 || error.status === 429 || error.status >= 500) return;
  await forget([process]);
  if (!isClosed(error) || !ticketed) return;
  process.refused = true;
  await cannot([process], "refused").catch(() => null);
}

function offerAgain(unsent, failure) {
  at(3, unsent.length > 1 ? `${unsent.length} signed messages are kept here until you close this page.`
    : "Your signed message is kept here until you close this page.");
  const maybe = failure instanceof NoAnswer || failure.status < 400 || failure.status >= 500;
  return press("Send it again", maybe ? "See if it arrived" : "Go on");
}

function skip(processes) {
  for (const process of processes.filter(({ id }) => !id)) {
    const state = process.refused ? "refused" : "skipped";
    mark(process, state, state);
  }
  return null;
}

/** Does `work` for each, four at a time, and gives the results in order. */
export async function pooled(items, work) {
  const results = [];
  const queue = items.entries();
  await Promise.all([1, 2, 3, 4].map(async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  }));
  return results;
}
