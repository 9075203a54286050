import { Problem, SignedOut } from "./calls.js";

// What is for the officer: the part of their list that was loaded, kept as it changes, and how much is unread.

const A_PAGE = 20;
const MOST = 200;
const MOST_HEARD_OF = 1000;
const SETTLED = new Set(["Approved", "Validate", "Rejected"]);
const QUERIES = {
  all: {},
  unread: { isReadStatus: "false" },
  action: { needsAction: "true" },
  archived: { isArchived: "true" },
};

export function isOutstanding(item) {
  return item.requireAction && !SETTLED.has(item.performedActionType) && !item.endedAt;
}

function belongs(item, filter) {
  if (filter === "archived") return item.isArchived;
  if (item.isArchived || item.endedAt) return false;
  if (filter === "unread") return !item.isReadStatus;
  return filter !== "action" || isOutstanding(item);
}

export class Inbox {
  #calls;
  #changed;
  #arrived;
  #items = new Map();
  #newest = "";
  #heardOf = new Set();
  #meanwhile = null;
  #loading = null;
  #countTag = "";
  #wanted = A_PAGE;
  unread = null;
  filter = "all";
  cursor = null;
  isLoaded = false;

  /** `changed` is called when anything is another, with whether it was done here, `arrived` with what is new for the officer. */
  constructor({ calls, changed, arrived }) {
    this.#calls = calls;
    this.#changed = changed;
    this.#arrived = arrived;
  }

  /** The newest first: ids grow with time. */
  get items() {
    return [...this.#items.values()].sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  get(id) {
    return this.#items.get(id);
  }

  async show(filter) {
    this.filter = filter;
    this.isLoaded = false;
    this.#items.clear();
    this.cursor = null;
    this.#wanted = A_PAGE;
    this.#changed();
    await this.load();
  }

  /** Load what is shown anew. Called again meanwhile, it loads once more afterwards, and once only. */
  async load() {
    if (this.#loading) {
      this.#loading.again = true;
      return this.#loading.done;
    }
    const loading = { again: true };
    this.#loading = loading;
    loading.done = (async () => {
      try {
        while (loading.again) {
          loading.again = false;
          await this.#loadOnce();
        }
      } finally {
        this.#loading = null;
      }
    })();
    return loading.done;
  }

  async #loadOnce() {
    const { filter } = this;
    // What is told while the list is on its way is newer than what it says.
    this.#meanwhile = [];
    try {
      const { items, cursor } = await this.#page(Math.min(MOST, Math.max(this.#wanted, this.#items.size)));
      if (filter !== this.filter) {
        if (this.#loading) this.#loading.again = true;
        return;
      }
      const fresh = this.isLoaded || this.#newest ? items.filter((item) => item.id > this.#newest && !item.isReadStatus) : [];
      this.#items = new Map(items.map((item) => [item.id, item]));
      this.cursor = cursor;
      this.isLoaded = true;
      this.#note(items);
      if (filter === "all" && fresh.length) this.#arrived(fresh);
    } finally {
      const told = this.#meanwhile;
      this.#meanwhile = null;
      for (const [event, data] of told) this.#take(event, data);
      this.#changed();
    }
  }

  async more() {
    if (!this.cursor) return;
    const { filter } = this;
    const { items, cursor } = await this.#page(A_PAGE, this.cursor);
    if (filter !== this.filter) return;
    for (const item of items) if (!this.#items.has(item.id)) this.#items.set(item.id, item);
    this.cursor = cursor;
    this.#wanted = this.#items.size;
    // A list that is on its way was asked for without them.
    if (this.#loading) this.#loading.again = true;
    this.#changed();
  }

  async #page(limit, cursor) {
    const query = new URLSearchParams({ limit, ...QUERIES[this.filter], ...(cursor && { cursor }) });
    const answer = await this.#calls.call("GET", `/notifications?${query}`);
    const next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(answer.headers.get("Link") ?? "");
    return { items: await answer.json(), cursor: next && decodeURIComponent(next[1]) };
  }

  /** Take what the stream tells. */
  told(event, data) {
    if (event === "count") {
      this.unread = { number: data.unread, isExact: data.isExact };
      this.#changed();
      return;
    }
    if (event === "reset") {
      this.load().catch(() => {});
      return;
    }
    if (event === "new") {
      // Not by the order of ids: what was made a little earlier may come a little later.
      const isNews = !this.#heardOf.has(data.id);
      this.#note([data]);
      if (isNews) this.#arrived([data]);
    }
    if (this.#meanwhile) this.#meanwhile.push([event, data]);
    this.#take(event, data);
    this.#changed(data.id);
  }

  #take(event, data) {
    if (event === "removed") {
      this.#items.delete(data.id);
      if (this.filter === "archived") this.load().catch(() => {});
      return;
    }
    const known = this.#items.get(data.id);
    const isOwn = "isReadStatus" in data;
    if (!known && !isOwn) return;
    const item = isOwn || !known ? { ...data } : { ...known, ...data };
    if (known && !isOwn) {
      // It is told to many: what each has done with it is not theirs to say.
      item.isSeenStatus = known.isSeenStatus;
      item.isArchived = known.isArchived;
    }
    this.#keep(item);
  }

  /** Keep it where it belongs to what is shown, and is no older than what was loaded. */
  #keep(item) {
    const isKnown = this.#items.has(item.id);
    if (!belongs(item, this.filter)) this.#items.delete(item.id);
    else if (isKnown || !this.cursor || item.id > this.cursor) this.#items.set(item.id, item);
  }

  #note(items) {
    for (const { id } of items) {
      this.#heardOf.add(id);
      if (id > this.#newest) this.#newest = id;
    }
    for (const id of this.#heardOf) {
      if (this.#heardOf.size <= MOST_HEARD_OF) break;
      this.#heardOf.delete(id);
    }
  }

  /** One with all that it says, and the tag by which it is acted on as it was seen. */
  async one(id) {
    const answer = await this.#calls.call("GET", `/notifications/${id}`);
    return { item: await answer.json(), tag: answer.headers.get("ETag") };
  }

  async act(id, actionType, { note, tag, keepalive } = {}) {
    const answer = await this.#calls.call("PATCH", `/notifications/${id}`, {
      body: { actionType, ...(note && { actionNote: note }) },
      headers: tag ? { "If-Match": tag } : {},
      keepalive,
    });
    const item = await answer.json();
    const known = this.#items.get(id);
    // In lists what is sensitive is not told; there it stays as it was.
    this.#keep(item.sensitive ? { ...item, message: known?.message, followOnAction: null } : item);
    this.#changed(id, true);
    this.#countSoon();
    return { item, tag: answer.headers.get("ETag") };
  }

  /** Mark all that is there, and nothing that came since: nobody has seen that. */
  async markAll() {
    const newest = this.#newest && new Date(Number.parseInt(this.#newest.replace("-", "").slice(0, 12), 16) + 1);
    const query = newest ? `?createdTo=${encodeURIComponent(newest.toISOString())}` : "";
    for (let isComplete = false; !isComplete; ) {
      const answer = await this.#calls.call("POST", `/notifications/mark${query}`, { body: { actionType: "IsRead" } });
      ({ isComplete } = await answer.json());
    }
    await this.load();
    this.#countSoon();
  }

  /** What was on the screen has been seen, though not read. */
  async markSeen() {
    const ids = this.items.filter((item) => !item.isSeenStatus && !item.isArchived).map(({ id }) => id);
    if (!ids.length || this.filter === "archived") return;
    await this.#calls.call("POST", "/notifications/mark", { body: { actionType: "IsSeen", ids: ids.slice(0, MOST) } });
    for (const id of ids) {
      const item = this.#items.get(id);
      if (item) this.#items.set(id, { ...item, isSeenStatus: true });
    }
  }

  /** Ask how much is unread; the answer is empty where it is as it was. */
  async count() {
    const headers = this.#countTag ? { "If-None-Match": this.#countTag } : {};
    const answer = await this.#calls.call("GET", "/notifications/count?isReadStatus=false", { headers });
    if (answer.status === 304) return false;
    this.#countTag = answer.headers.get("ETag") ?? "";
    const { count, isExact } = await answer.json();
    const isOther = this.unread?.number !== count;
    this.unread = { number: count, isExact };
    this.#changed();
    return isOther;
  }

  /** Where no stream tells it. */
  countsItself = false;

  #countSoon() {
    if (this.countsItself) this.count().catch(() => {});
  }
}

/** What went wrong, for the officer. */
export function whyOf(error, words) {
  if (error instanceof Problem) {
    if (error.status === 404) return words.gone;
    if (error.status === 412) return words.faster;
    return error.status < 500 ? error.message : words.wrong;
  }
  if (error instanceof SignedOut) return words.signedOut;
  return error instanceof TypeError ? words.notSent : words.wrong;
}
