// Calls of Postroom with the officer's token, which is asked for anew when it is not taken any more.

export class Problem extends Error {
  constructor(status, told) {
    super(told?.userErrorMessage || told?.detail || `status ${status}`);
    this.status = status;
    this.fields = Object.fromEntries((told?.errors ?? []).map((each) => [each.field, each.message]));
  }
}

/** The token is not taken, and there is no other. */
export class SignedOut extends Error {}

/** What a token says of whose it is; nothing is believed for it, it only tells people apart. */
export function personOf(token) {
  try {
    const claims = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return String(JSON.parse(atob(claims)).email ?? "").trim().toLowerCase();
  } catch {
    return "";
  }
}

export class Calls {
  #token = null;
  #refused = null;
  #asking = null;
  #ask;

  /** `ask` gives a fresh token, or null where there is none. */
  constructor({ url, ask }) {
    this.url = url;
    this.#ask = ask;
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token || null;
    this.#refused = null;
  }

  /** An answer of whatever status but 401; SignedOut where no token is taken. */
  async open(path, { headers = {}, ...how } = {}) {
    for (let tries = 0; tries < 2; tries += 1) {
      const token = await this.#current();
      const answer = await fetch(this.url + path, {
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        ...how,
        headers: { ...headers, Authorization: `Bearer ${token}` },
      });
      if (answer.status !== 401) return answer;
      answer.body?.cancel().catch(() => {});
      if (this.#token === token) {
        this.#refused = token;
        this.#token = null;
      }
    }
    throw new SignedOut();
  }

  /** A good answer; a Problem otherwise. */
  async call(method, path, { body, ...how } = {}) {
    const headers = { ...how.headers };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await this.open(path, {
      ...how,
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.ok || answer.status === 304) return answer;
    throw new Problem(answer.status, await answer.json().catch(() => null));
  }

  async #current() {
    if (this.#token) return this.#token;
    this.#asking ??= Promise.resolve(this.#ask()).finally(() => {
      this.#asking = null;
    });
    const token = await this.#asking;
    // What was refused once is not tried again and again.
    if (!token || token === this.#refused) throw new SignedOut();
    this.#token ??= token;
    return this.#token;
  }
}
