import { Calls, personOf } from "./calls.js";
import { Inbox } from "./inbox.js";
import { One } from "./one.js";
import { Panel } from "./panel.js";
import { BELL, dress, h, icon } from "./parts.js";
import { Popups } from "./popups.js";
import { Stream } from "./stream.js";
import { Toasts } from "./toasts.js";
import { countText, wordsWith } from "./words.js";

// <notification-bell>: how much is unread, and what; as it changes.

// Where this was loaded from is where Postroom is, unless `api` says otherwise.
const HERE = (document.currentScript?.src ?? "").replace(/\/bell\/[^/]*\/?bell\.js.*$/, "");
const GATHER_MS = 400;
const LATER_MS = [100, 1000];
const TYPING = "input, textarea, select, [contenteditable]";

export class NotificationBell extends HTMLElement {
  static observedAttributes = ["api", "pages", "insist", "lang"];
  #token = null;
  #chosen = {};
  #calls = null;
  #stream = null;
  #state = "idle";
  #waiting = null;
  #isHeard = false;
  #news = [];
  #gathering = 0;
  #said = -1;
  #needToken = null;
  /** Where a page can have popups without a page: `state`, `subscribe` and `unsubscribe`, as of push.js. */
  push = null;
  me = "";

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    dress(this.shadowRoot);
  }

  // What a page says.

  get api() {
    return (this.getAttribute("api") || HERE).replace(/\/+$/, "");
  }

  set api(url) {
    this.setAttribute("api", url);
  }

  /** Where the officer's pages are, for links to them; none where there are none. */
  get pages() {
    return this.getAttribute("pages")?.replace(/\/+$/, "") ?? "";
  }

  set pages(url) {
    if (url) this.setAttribute("pages", url);
    else this.removeAttribute("pages");
  }

  get token() {
    return this.#token;
  }

  /** The officer's token; null signs them out. It is kept in this object alone. */
  set token(token) {
    token = token || null;
    if (token === this.#token) return;
    const isAnother = !token || (this.me && personOf(token) !== this.me);
    this.#token = token;
    if (this.#calls) this.#calls.token = token;
    this.#waiting?.(token);
    if (isAnother && this.#stream) this.#restart();
    else this.#stream?.again();
  }

  get needToken() {
    return this.#needToken;
  }

  /** A function that gives a fresh token, or a promise of one; null where the officer is signed out. */
  set needToken(give) {
    this.#needToken = give ?? null;
    if (this.#waiting) this.#offered().then((token) => token && this.#waiting?.(token), () => {});
  }

  get wording() {
    return this.#chosen;
  }

  set wording(chosen) {
    this.#chosen = chosen ?? {};
    if (this.#stream) this.#restart();
  }

  /** How much is unread, as far as it is known. */
  get unread() {
    return this.inbox?.unread?.number ?? null;
  }

  /** `idle`, `connecting`, `live`, `polling`, `paused`, `offline` or `signed-out`. */
  get state() {
    return this.#state;
  }

  get stateText() {
    const { words } = this;
    return { offline: words.offline, connecting: words.connecting, "signed-out": words.signedOut }[this.#state] ?? "";
  }

  open() {
    this.panel?.open();
  }

  close() {
    this.one?.close();
    this.panel?.close();
  }

  // What the browser says.

  connectedCallback() {
    // What was set before this was there is set anew.
    for (const name of ["token", "needToken", "wording"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#restart();
  }

  disconnectedCallback() {
    this.#stop();
  }

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#stream) return;
    if (name === "api") this.#restart();
    else this.render();
  }

  // What the parts say to each other.

  openOne(id) {
    this.toasts.drop(id);
    return this.one.openOne(id);
  }

  /** Where the focus goes when a dialog closes and what had it is gone. */
  focusAfter(id) {
    if (!this.panel.isOpen) return this.button;
    return this.shadowRoot.querySelector(`[data-key="${id} open"]`) ?? this.panel.heading;
  }

  render() {
    if (!this.button) return;
    const { words, inbox } = this;
    const text = countText(inbox.unread);
    this.badge.textContent = text;
    this.badge.hidden = !text;
    this.name.textContent = text ? `${words.notifications}, ${words.unreadCount(text)}` : words.notifications;
    this.button.setAttribute("aria-expanded", String(this.panel.isOpen));
    this.button.classList.toggle("quiet-now", this.#state !== "live" && this.#state !== "polling");
    this.button.title = this.stateText;
    if (this.panel.isOpen) this.panel.render();
    if (inbox.unread && inbox.unread.number !== this.#said) {
      this.#said = inbox.unread.number;
      this.dispatchEvent(new CustomEvent("unreadchange", { detail: { unread: this.#said }, bubbles: true }));
    }
  }

  #restart() {
    this.#stop();
    if (!this.isConnected || !this.api) return;
    this.words = wordsWith(this.#chosen);
    this.me = this.#token ? personOf(this.#token) : "";
    this.#said = -1;
    const calls = new Calls({ url: this.api, ask: () => this.#ask() });
    this.#calls = calls;
    calls.token = this.#token;
    this.inbox = new Inbox({ calls, changed: (id, isDoneHere) => this.#changed(id, isDoneHere), arrived: (items) => this.#arrived(items) });
    this.#draw();
    this.#stream = new Stream({
      calls,
      told: (event, data) => {
        this.inbox.told(event, data);
        if (event === "removed") this.#gone(data.id);
      },
      state: (state, more) => this.#became(state, more),
      poll: () => this.#poll(),
      mayRest: () => !(this.popups?.isWanted && this.popups.isFirst),
    });
    this.#stream.start();
    this.render();
  }

  #stop() {
    this.#stream?.stop();
    this.#stream = null;
    this.#calls = null;
    this.popups?.leave();
    this.popups = null;
    clearTimeout(this.#gathering);
    this.#news = [];
    this.#waiting?.(null);
    this.close();
    this.toasts?.clear();
    this.#state = "idle";
  }

  #draw() {
    const { words } = this;
    this.name = h("span", { class: "hidden" });
    this.badge = h("span", { class: "badge", "aria-hidden": "true", part: "badge", hidden: true });
    this.button = h(
      "button",
      { type: "button", class: "bell", part: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => this.open() },
      icon(...BELL),
      this.badge,
      this.name,
    );
    this.toasts = new Toasts(this);
    this.panel = new Panel(this);
    this.one = new One(this);
    const kept = [...this.shadowRoot.querySelectorAll("style")];
    this.shadowRoot.replaceChildren(...kept, this.button, this.toasts.said, this.toasts.element, this.panel.element, this.one.element);
  }

  /** A fresh token: from the page's function, from who hears the event, or when it is set at last. */
  async #ask() {
    this.#token = null;
    let token = await this.#offered();
    if (!token) {
      this.#became("signed-out");
      token = await this.#awaited();
    }
    this.#token = token;
    if (token && this.me && personOf(token) !== this.me) {
      // Somebody else sits here now: of who sat here before nothing is left.
      this.#restart();
      return null;
    }
    if (token) this.#isSomebody(personOf(token));
    return token;
  }

  async #offered() {
    if (this.#needToken) return this.#needToken();
    this.#isHeard = false;
    let supplied = null;
    const supply = (given) => {
      this.#isHeard = true;
      supplied = given;
    };
    const asking = new CustomEvent("needtoken", { detail: { supply }, bubbles: true, cancelable: true, composed: true });
    this.#isHeard = !this.dispatchEvent(asking) || this.#isHeard;
    return this.#token ?? supplied;
  }

  /** When it is set at last. Who came to listen a little later than the bell is asked once more. */
  async #awaited() {
    const timers = LATER_MS.map((ms) =>
      setTimeout(async () => {
        if (this.#isHeard || this.#needToken) return;
        const token = await this.#offered();
        if (token) this.#waiting?.(token);
      }, ms),
    );
    try {
      return await new Promise((resolve) => (this.#waiting = resolve));
    } finally {
      this.#waiting = null;
      timers.forEach(clearTimeout);
    }
  }

  #isSomebody(me) {
    if (this.popups && me === this.me) return;
    this.me = me;
    this.popups?.leave();
    this.popups = new Popups({ name: `${this.api} ${me}`, words: this.words, opened: (id) => (id ? this.openOne(id) : this.open()), push: this.push, first: () => this.#stream?.again() });
    if (this.#state === "live") this.popups.join();
  }

  #became(state, { isFirst = false } = {}) {
    const before = this.#state;
    this.#state = state;
    const { inbox } = this;
    inbox.countsItself = state === "polling";
    if (!this.popups && this.#token) this.#isSomebody(personOf(this.#token));
    if (state === "live") {
      this.popups?.join();
      // Where it goes on from its place the stream tells all that is new; only the first time is there a list to load.
      if (isFirst || !inbox.isLoaded) inbox.load().catch(() => {});
    } else if (state !== "paused" || !this.popups?.isWanted) this.popups?.leave();
    if (state === "polling" && before !== "polling") this.#poll();
    this.render();
  }

  async #poll() {
    if (this.#state !== "polling") return;
    try {
      if ((await this.inbox.count()) || !this.inbox.isLoaded) await this.inbox.load();
    } catch {
      // The stream says what is wrong.
    }
  }

  #changed(id, isDoneHere) {
    if (!id) return this.render();
    const item = this.inbox.get(id);
    if (item?.isReadStatus) this.toasts.drop(id);
    this.render();
    if (!isDoneHere) this.one.changed(id);
  }

  #gone(id) {
    this.toasts.drop(id);
    this.one.gone(id);
  }

  /** What comes at about the same time is shown together. */
  #arrived(items) {
    this.#news.push(...items);
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => {
      const news = this.#news.splice(0).filter((item) => !this.inbox.get(item.id)?.isReadStatus);
      if (news.length) this.#show(news);
    }, GATHER_MS);
  }

  #show(news) {
    this.dispatchEvent(new CustomEvent("arrived", { detail: { number: news.length }, bubbles: true }));
    this.popups?.show(news);
    const { words, panel, one } = this;
    if (panel.isOpen || one.isOpen) (one.isOpen ? one : panel).say(words.manyNew(news.length));
    else this.toasts.show(news);
    const asking = news.find((item) => item.requireAction);
    if (asking && this.hasAttribute("insist") && this.#isFree()) this.openOne(asking.id);
  }

  /** Whether the officer would not be torn from something: they look at the page, and do not type. */
  #isFree() {
    let focused = document.activeElement;
    while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
    return document.visibilityState === "visible" && !this.one.isOpen && !focused?.matches(TYPING) && !document.querySelector(":modal");
  }
}

if (!customElements.get("notification-bell")) customElements.define("notification-bell", NotificationBell);
