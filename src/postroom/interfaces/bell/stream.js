import { SignedOut } from "./calls.js";

// What changes, as it happens: server-sent events read by fetch, which can send a token where EventSource cannot.

const SILENT_MS = 40_000; // Postroom says every 15 seconds that the connection lives.
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
const REFUSED_MS = 60_000;
const STEADY_MS = 10_000;
const POLL_MS = 30_000;
const REST_MS = 30_000;

/** The events of a body, as they come. `heard` is called whenever anything does. */
export async function* eventsIn(body, heard = () => {}) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += decoder.decode(value, { stream: true });
      // An event ends with an empty line. What stands behind the last one is not whole yet.
      const parts = text.split(/\r\n\r\n|\n\n|\r\r/);
      text = parts.pop();
      for (const part of parts) yield eventOf(part);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function eventOf(part) {
  const event = { event: "", data: "", id: undefined };
  const data = [];
  for (const line of part.split(/\r\n|\n|\r/)) {
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === "data") data.push(value);
    else if (name === "event") event.event = value;
    else if (name === "id") event.id = value;
  }
  event.data = data.join("\n");
  return event;
}

/** A stream that comes again by itself, from where it broke off. While it is refused the count is asked for. */
export class Stream {
  #calls;
  #told;
  #poll;
  #state;
  #lastId;
  #running = null;
  #open = null;
  #wake = null;
  #mayRest;
  #isResting = false;
  #rest = 0;
  #tries = 0;

  /** `told` is given each event, `state` what the stream is, `poll` asks for the count; `mayRest` says whether
   * nobody needs it while the page is hidden. */
  constructor({ calls, told, state, poll, mayRest }) {
    this.#calls = calls;
    this.#told = told;
    this.#state = state;
    this.#poll = poll;
    this.#mayRest = mayRest;
  }

  start() {
    if (this.#running) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    addEventListener("online", () => this.again(), { signal });
    addEventListener("offline", () => this.#open?.abort(), { signal });
    // A page that is kept aside by the browser must hold no connection.
    addEventListener("pagehide", () => this.#open?.abort(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.again(), { signal });
    document.addEventListener("visibilitychange", () => this.#looked(), { signal });
    this.#run(signal);
  }

  stop() {
    this.#running?.abort();
    this.#running = null;
    clearTimeout(this.#rest);
    this.#open?.abort();
    this.#wake?.();
  }

  /** Connect now, whatever was waited for. */
  again() {
    this.#tries = 0;
    this.#isResting = false;
    this.#wake?.();
  }

  /** A browser has six connections at most to one host, for all its tabs: those that nobody looks at hold none. */
  #looked() {
    clearTimeout(this.#rest);
    if (!document.hidden) return this.again();
    this.#rest = setTimeout(() => {
      if (!document.hidden || !this.#mayRest()) return;
      this.#isResting = true;
      this.#open?.abort();
      this.#wake?.();
    }, REST_MS);
  }

  async #run(signal) {
    while (!signal.aborted) {
      if (this.#isResting) {
        this.#state("paused");
        await new Promise((resolve) => (this.#wake = resolve));
        this.#wake = null;
        continue;
      }
      let pause = 0;
      const began = Date.now();
      try {
        await this.#once(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (this.#isResting) continue;
        pause = this.#afterFailure(error);
      }
      if (Date.now() - began > STEADY_MS) this.#tries = 0;
      // With a chance in it: pages that were cut off together do not come back together.
      const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#tries) * (0.5 + Math.random() / 2);
      this.#tries += 1;
      await this.#pause(Math.max(pause, wait), signal);
    }
  }

  async #once(signal) {
    if (navigator.onLine === false) throw new TypeError("offline");
    const open = new AbortController();
    this.#open = open;
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => open.abort(), SILENT_MS);
    };
    try {
      heard();
      const headers = { Accept: "text/event-stream" };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const answer = await this.#calls.open("/notifications/stream", { headers, signal: open.signal });
      if (!answer.ok) {
        answer.body?.cancel().catch(() => {});
        throw Object.assign(new Error("refused"), { after: Number(answer.headers.get("Retry-After")) || 0 });
      }
      const isFirst = !this.#lastId;
      let isLive = false;
      for await (const event of eventsIn(answer.body, heard)) {
        if (signal.aborted) return;
        if (event.id) {
          this.#lastId = event.id;
          if (!isLive) this.#state("live", { isFirst });
          isLive = true;
        }
        if (event.event) this.#told(event.event, JSON.parse(event.data || "{}"));
      }
      this.#tries = Math.min(this.#tries, 1);
    } finally {
      clearTimeout(timer);
      open.abort();
      this.#open = null;
    }
  }

  /** Say what the stream is now; how long to wait at least. */
  #afterFailure(error) {
    if (error instanceof SignedOut) {
      this.#state("signed-out");
      return REFUSED_MS;
    }
    if (navigator.onLine === false) this.#state("offline");
    else if (error.message === "refused") {
      this.#state("polling");
      return Math.max(error.after * 1000, FIRST_MS * 5);
    } else this.#state("connecting");
    return 0;
  }

  async #pause(ms, signal) {
    const until = Date.now() + ms;
    for (;;) {
      const left = until - Date.now();
      if (left <= 0 || signal.aborted) return;
      const isWoken = await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, POLL_MS), false);
        this.#wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });
      this.#wake = null;
      if (isWoken || signal.aborted) return;
      await this.#poll();
    }
  }
}
