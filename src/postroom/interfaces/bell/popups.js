import { kindOf, previewOf } from "./words.js";

// Popups of the browser: asked for only by a click on a button, and shown by one tab of all that are open.

const KEY = "postroom-bell-popups";

export class Popups {
  #name;
  #words;
  #opened;
  #isOn = false;
  #release = null;
  #isFirst = false;
  #push;
  #first;
  #isPushed = false;

  /** `name` is the same in all tabs of one officer. `opened` is called with the id of what was clicked. `push`,
   * where a page has one, turns on what pops up without any page: then no page shows the same once more.
   * `first` is called when it falls to this tab to show them. */
  constructor({ name, words, opened, push, first }) {
    this.#name = name;
    this.#words = words;
    this.#opened = opened;
    this.#push = push;
    this.#first = first;
    this.#ask("state");
  }

  /** Whether pages are to show them. */
  get isWanted() {
    return this.state === "on" && !this.#isPushed;
  }

  get isFirst() {
    return this.#isFirst;
  }

  get isPushed() {
    return this.#isPushed;
  }

  /** `on`, `off`, `refused` by the browser or its owner, or `unsupported` by it. */
  get state() {
    if (!("Notification" in globalThis)) return "unsupported";
    if (Notification.permission === "denied") return "refused";
    return Notification.permission === "granted" && this.#wish() ? "on" : "off";
  }

  /** Only in answer to a click. */
  async turnOn() {
    const said = await Notification.requestPermission().catch(() => "denied");
    this.#keep(said === "granted");
    if (said === "granted") await this.#ask("subscribe");
    return this.state;
  }

  async turnOff() {
    this.#keep(false);
    await this.#ask("unsubscribe");
  }

  async #ask(what) {
    try {
      this.#isPushed = (await this.#push?.[what]()) === "on";
    } catch {
      // Pages show them while they are open, then.
      this.#isPushed = false;
    }
  }

  /** Take part in who shows them, while what is new is told to this tab. */
  join() {
    if (this.#release || !navigator.locks) return;
    const leaving = new AbortController();
    this.#release = () => leaving.abort();
    const until = new Promise((resolve) => leaving.signal.addEventListener("abort", resolve));
    navigator.locks
      .request(`${KEY} ${this.#name}`, { signal: leaving.signal }, () => {
        this.#isFirst = true;
        if (this.isWanted) this.#first();
        return until;
      })
      .catch(() => {});
  }

  leave() {
    this.#release?.();
    this.#release = null;
    this.#isFirst = false;
  }

  /** Show what is new; of many at once only how many. */
  show(items) {
    // Without locks each tab shows it, and the browser, by the tag, only one of them.
    if (!this.isWanted || (navigator.locks && !this.#isFirst)) return;
    if (items.length > 3) this.#popup(this.#words.manyNew(items.length), { tag: KEY }, null);
    else for (const item of items) this.#popup(...this.#told(item), item.id);
  }

  #told(item) {
    const isDiscreet = item.sensitive;
    const title = isDiscreet ? this.#words.discreet : kindOf(item, this.#words);
    const body = isDiscreet ? this.#words.discreetText : previewOf(item);
    return [title, { body, tag: item.id }];
  }

  #popup(title, how, id) {
    try {
      const popup = new Notification(title, how);
      popup.onclick = () => {
        globalThis.focus();
        popup.close();
        this.#opened(id);
      };
    } catch {
      // Some browsers on telephones have the word, and not the thing.
    }
  }

  #wish() {
    try {
      return localStorage.getItem(KEY) === "on";
    } catch {
      return this.#isOn;
    }
  }

  #keep(isOn) {
    this.#isOn = isOn;
    try {
      if (isOn) localStorage.setItem(KEY, "on");
      else localStorage.removeItem(KEY);
    } catch {
      // Then it holds for this page alone.
    }
  }
}
