// The sandbox's demo wallet: a stand-in for a browser extension such as Wander, so that the whole walk works without one.
// It makes real ANS-104 signatures with keys that the sandbox made up at its start. Nothing here is real or safe: never put
// this file on a page that people use. It is served by the sandbox alone.
//
// What pages see is what Arweave wallets offer: window.arweaveWallet, and the events arweaveWalletLoaded and walletSwitch.
// What tests and the sandbox's page may use beside it: window.demoWallet.{people, use, lock, unlock, silent, hardware}.
// `silent` is Wander's policy ask_when_spending: what moves no tokens is signed without a question. `hardware` is a wallet
// whose key is in a device: it signs no batch.

(() => {
  "use strict";

  const KEYS = new URL("keys", document.currentScript.src).href;
  const CANCELLED = "User cancelled the AuthRequest";
  const NEEDED = { getActiveAddress: "ACCESS_ADDRESS", getActivePublicKey: "ACCESS_PUBLIC_KEY", signDataItem: "SIGN_TRANSACTION",
    batchSignDataItem: "SIGN_TRANSACTION" };
  const encoder = new TextEncoder();

  // --- Who is using the wallet: which of the demo people, whether it is locked, and what this site may ask for ---------------

  const people = fetch(KEYS).then((response) => response.json());
  const stored = (name, fallback) => JSON.parse(localStorage.getItem(`demo-wallet:${name}`) ?? JSON.stringify(fallback));
  const store = (name, value) => localStorage.setItem(`demo-wallet:${name}`, JSON.stringify(value));

  async function active() {
    const known = await people;
    return known[stored("active", 0)] ?? known[0];
  }

  async function use(index) {
    store("active", index);
    const { address } = await active();
    dispatchEvent(new CustomEvent("walletSwitch", { detail: { address } }));
  }

  function require(method) {
    if (!stored("permissions", []).includes(NEEDED[method])) throw new Error(`Missing permission(s): ${NEEDED[method]}`);
  }

  // --- ANS-104: the bytes that are signed, and the bytes that are sent ------------------------------------------------------

  function joined(...parts) {
    const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  const sha384 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-384", bytes));

  function base64url(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }

  async function deepHash(value) {
    if (value instanceof Uint8Array) {
      return sha384(joined(await sha384(encoder.encode(`blob${value.length}`)), await sha384(value)));
    }
    let hash = await sha384(encoder.encode(`list${value.length}`));
    for (const item of value) hash = await sha384(joined(hash, await deepHash(item)));
    return hash;
  }

  function little(value, size) {
    return Uint8Array.from({ length: size }, (_, index) => Number((BigInt(value) >> BigInt(8 * index)) & 255n));
  }

  // Avro writes whole numbers zig-zag, seven bits a byte. Ours are never negative.
  function avroNumber(value) {
    const bytes = [];
    for (value *= 2; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    return [...bytes, value];
  }

  function avroTags(tags) {
    if (tags.length === 0) return new Uint8Array();
    const words = tags.flatMap(({ name, value }) => [name, value]).map((word) => encoder.encode(word));
    return joined(avroNumber(tags.length), ...words.flatMap((word) => [avroNumber(word.length), word]), [0]);
  }

  const present = (bytes) => (bytes.length ? joined([1], bytes) : joined([0]));

  async function signed({ data, tags = [], target = "", anchor = "" }, jwk) {
    const [to, rawTags] = [base64url(target), avroTags(tags)];
    const [from, nonce] = [base64url(jwk.n), encoder.encode(anchor)];
    const content = typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
    if (nonce.length !== 0 && nonce.length !== 32) throw new Error("An anchor has 32 bytes");
    const text = (word) => encoder.encode(word);
    const message = await deepHash([text("dataitem"), text("1"), text("1"), from, to, nonce, rawTags, content]);
    const key = await crypto.subtle.importKey("jwk", jwk, { name: "RSA-PSS", hash: "SHA-256" }, false, ["sign"]);
    const signature = new Uint8Array(await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, key, message));
    const head = joined(little(1, 2), signature, from, present(to), present(nonce));
    return joined(head, little(tags.length, 8), little(rawTags.length, 8), rawTags, content).buffer;
  }

  // --- The dialog: everything that asks the person. Styled without a stylesheet, since the page's policy allows none of ours --

  function element(name, style, ...children) {
    const made = document.createElement(name);
    Object.assign(made.style, style);
    made.append(...children);
    return made;
  }

  function button(label, primary) {
    const made = element("button", {
      font: "600 15px system-ui", padding: "10px 18px", borderRadius: "8px", border: "1px solid #6b5f00", cursor: "pointer",
      background: primary ? "#6b5f00" : "#fffbe0", color: primary ? "#fff" : "#2b2700",
    }, label);
    made.type = "button";
    return made;
  }

  async function ask(title, lines, yes) {
    const words = { font: "15px/1.45 system-ui", color: "#2b2700", margin: "0 0 10px" };
    const code = { font: "13px/1.5 ui-monospace, monospace", overflowWrap: "anywhere", margin: "0 0 14px", whiteSpace: "pre-wrap",
      maxHeight: "40vh", overflow: "auto", background: "#fff8c2", padding: "10px", borderRadius: "6px", color: "#2b2700" };
    const [no, go] = [button("Cancel", false), button(yes, true)];
    const dialog = element("dialog",
      { border: "3px dashed #6b5f00", borderRadius: "14px", padding: "20px", background: "#fffbe0", maxWidth: "min(560px, 92vw)" },
      element("p", { ...words, fontWeight: "700" }, "Demo wallet, nothing here is real"),
      element("p", { ...words, fontSize: "19px" }, title),
      element("pre", code, lines.join("\n")),
      element("div", { display: "flex", gap: "10px", justifyContent: "flex-end" }, no, go));
    dialog.id = "demo-wallet";
    dialog.setAttribute("aria-label", `Demo wallet: ${title}`);
    no.onclick = () => dialog.close("no");
    go.onclick = () => dialog.close("yes");
    document.body.append(dialog);
    dialog.showModal();
    await new Promise((closed) => dialog.addEventListener("close", closed, { once: true }));
    dialog.remove();
    if (dialog.returnValue !== "yes") throw new Error(CANCELLED);
  }

  async function unlocked() {
    if (!stored("locked", false)) return;
    const { name, address } = await active();
    await ask("The wallet is locked", [`Account: ${name}`, address], "Unlock");
    store("locked", false);
  }

  function described({ data, tags = [], target }) {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data);
    const shown = tags.map(({ name, value }) => `${name}: ${value}`);
    return [`To process: ${target}`, ...shown, text.trim() ? `\n${text}` : "(no data)"];
  }

  // --- What pages use -------------------------------------------------------------------------------------------------------

  const arweaveWallet = {
    walletName: "Demo wallet",

    async connect(permissions, app = {}) {
      await unlocked();
      const missing = permissions.filter((one) => !stored("permissions", []).includes(one));
      if (missing.length === 0) return;
      const { name, address } = await active();
      await ask(`${app.name ?? location.host} wants to connect`, [`Account: ${name}`, address, "", ...missing], "Connect");
      store("permissions", [...new Set([...stored("permissions", []), ...permissions])]);
    },

    async disconnect() {
      store("permissions", []);
    },

    async getPermissions() {
      return stored("permissions", []);
    },

    async getActiveAddress() {
      require("getActiveAddress");
      return (await active()).address;
    },

    async getActivePublicKey() {
      require("getActivePublicKey");
      return (await active()).jwk.n;
    },

    async signDataItem(item) {
      require("signDataItem");
      await unlocked();
      const { name, jwk } = await active();
      if (!stored("silent", false)) await ask(`${name} is asked to sign`, described(item), "Sign");
      return signed(item, jwk);
    },

    // A batch always asks, whatever the policy, and takes 200 kB in all.
    async batchSignDataItem(items) {
      require("batchSignDataItem");
      await unlocked();
      const { name, jwk } = await active();
      if (items.reduce((size, { data }) => size + data.length, 0) > 200_000) throw new Error("The batch is over 200 kB");
      const lines = items.flatMap((item, index) => [`${index + 1}.`, ...described(item), ""]);
      await ask(`${name} is asked to sign ${items.length} messages`, lines, "Sign");
      if (stored("hardware", false)) throw new Error("Only local wallets are currently supported for batch signing");
      return Promise.all(items.map(async (item) => ({ raw: await signed(item, jwk) })));
    },
  };

  window.arweaveWallet = arweaveWallet;
  window.demoWallet = {
    people: async () => (await people).map(({ name, address }) => ({ name, address })),
    use,
    lock: () => store("locked", true),
    unlock: () => store("locked", false),
    silent: (on) => store("silent", on),
    hardware: (on) => store("hardware", on),
  };
  dispatchEvent(new CustomEvent("arweaveWalletLoaded", { detail: { permissions: stored("permissions", []) } }));
})();
