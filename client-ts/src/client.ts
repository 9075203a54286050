/** The client: every operation is a method, and each may be called from many places at once. */
import { type Answer, type Attempt, carryOut, errorOfAnswer, type RetryPolicy, USUAL, waitFor } from "./attempts.ts";
import { errorOf, PostroomError } from "./errors.ts";
import { eventsIn, type StreamEvent } from "./stream.ts";
import type {
  ActionBody,
  BulkResult,
  CountItem,
  CountNotificationsQuery,
  DeadLetterItem,
  FeedbackItem,
  Health,
  ListDeadLettersQuery,
  ListFeedbackQuery,
  ListNotificationsQuery,
  MessageStatusItem,
  NotificationBody,
  NotificationItem,
  PreviewItem,
  ReplayBody,
  ReplayedItem,
  TemplateItem,
  TimelineItem,
  ValidationItem,
  WebhookItem,
} from "./types.ts";

export interface PostroomOptions {
  /** A service's API key. Never put one into a page: whoever opens it can read it. */
  key?: string;
  /** An officer's token, or a function that gives the current one. */
  token?: string | (() => string | Promise<string>);
  /** The caller's name: what goes out, a message's status and the templates ask for it. */
  service?: string;
  policy?: Partial<RetryPolicy>;
  /** Instead of the global one: to go through a proxy, or to trust other certificates. */
  fetch?: typeof fetch;
}

/** What may be said of every call. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Goes with everything that the call causes; Postroom makes one where there is none. */
  correlationId?: string;
}

export interface SendOptions extends CallOptions {
  /** By which the same request counts once; one is drawn where none is given. */
  idempotencyKey?: string;
}

export interface ActOptions extends CallOptions {
  note?: string;
  /** The version that is acted on: `stale` where it has changed since. */
  etag?: string;
}

/** `etag` is the version that this is; `replayed`, whether an earlier request with the same key had made it. */
export type Got = NotificationItem & { etag: string | undefined; replayed: boolean };

export type ActionType =
  | "Initiated"
  | "Approved"
  | "Validate"
  | "Rejected"
  | "IsRead"
  | "IsUnread"
  | "IsSeen"
  | "Archived";

/** What may be said of a notification beside the fields that its short way has. */
export type More = Omit<NotificationBody, "notificationType" | "serviceKey">;
export type ToSend = More & { template: string; personalisation?: Record<string, unknown> };

export interface Many {
  items: BulkResult[];
  accepted: NotificationItem[];
  /** Which were not taken, by their place in the list, and why. */
  refused: Array<{ index: number; error: PostroomError }>;
  /** The same list with the same key takes up what was not accepted, and makes nothing twice. */
  idempotencyKey: string;
}

const READING: readonly string[] = ["IsRead", "IsUnread", "IsSeen", "Archived"];
const PUT_OFF: readonly number[] = [409, 429, 503];
const RECONNECT_MILLISECONDS = 2000;

interface Call extends CallOptions, Pick<Attempt, "answers" | "doneIfRepeated" | "isComplete"> {
  query?: object;
  body?: unknown;
  headers?: Record<string, string>;
  /** Whether it may be sent again where nobody knows whether it was taken. */
  repeatable?: boolean;
}

export class Postroom {
  readonly service: string | undefined;
  readonly #url: string;
  readonly #credential: () => Promise<Record<string, string>>;
  readonly #policy: RetryPolicy;
  readonly #fetch: typeof fetch;

  constructor(url: string, options: PostroomOptions) {
    const { key, token } = options;
    if ((key === undefined) === (token === undefined)) {
      throw new TypeError("Give a service's key or an officer's token.");
    }
    this.#url = url.replace(/\/+$/, "");
    this.service = options.service;
    this.#policy = { ...USUAL, ...options.policy };
    this.#fetch = options.fetch ?? ((...asked) => globalThis.fetch(...asked));
    if (key !== undefined) {
      const credential = { "x-api-key": checked(key) };
      this.#credential = async () => credential;
    } else {
      this.#credential = async () => ({
        authorization: `Bearer ${checked(typeof token === "function" ? await token() : (token ?? ""))}`,
      });
    }
  }

  // Sending: each carries an idempotency key, so each may be repeated.

  /** One notification over any channels. */
  async notify(notification: NotificationBody, options: SendOptions = {}): Promise<Got> {
    const body = { ...this.#whose(), ...notification };
    return got(await this.#send("/notifications", body, options));
  }

  sendEmail({ to, ...more }: ToSend & { to: string }, options?: SendOptions): Promise<Got> {
    return this.notify({ ...outgoing("Email", more), email: to }, options);
  }

  sendText({ to, ...more }: ToSend & { to: string }, options?: SendOptions): Promise<Got> {
    return this.notify({ ...outgoing("Text", more), mobileNumber: to }, options);
  }

  /** To an address of 3 to 7 lines, whose last is the postcode. */
  sendLetter({ address, ...more }: ToSend & { address: readonly string[] }, options?: SendOptions): Promise<Got> {
    const lines = Object.fromEntries(address.map((line, index) => [`addressLine${index + 1}`, line]));
    const letter = outgoing("Letter", more);
    return this.notify({ ...letter, personalisationParams: { ...letter.personalisationParams, ...lines } }, options);
  }

  /** On officers' screens: to `user`, an address or `group:` or `patch:` and a name. */
  sendScreen(screen: More & { targetId: string; message: string }, options?: SendOptions): Promise<Got> {
    return this.notify({ ...screen, notificationType: "Screen" }, options);
  }

  /** Up to 1,000 at once. One that is refused stops no other. What was put off is asked for again. */
  async sendMany(notifications: readonly NotificationBody[], options: SendOptions = {}): Promise<Many> {
    const idempotencyKey = options.idempotencyKey ?? newKey();
    const body = notifications.map((each) => ({ ...this.#whose(), ...each }));
    const answer = await this.#send("/notifications/bulk", body, { ...options, idempotencyKey }, isTakenUp);
    const items = listIn<BulkResult>(answer);
    return {
      items,
      accepted: items.flatMap((each) => each.notification ?? []),
      refused: items.flatMap(({ index, status, problem }) =>
        problem ? [{ index, error: errorOf(status, problem) }] : [],
      ),
      idempotencyKey,
    };
  }

  /** What would become of it: everything is judged, and nothing kept or sent. */
  async validate(notification: NotificationBody, options: CallOptions = {}): Promise<ValidationItem> {
    const body = { ...this.#whose(), ...notification };
    return this.#json("POST", "/notifications", { ...options, body, query: { validateOnly: true }, repeatable: true });
  }

  // Reading: all of it may be repeated.

  async get(id: string, options: CallOptions = {}): Promise<Got> {
    return got(await this.#call("GET", pathOf("notifications", id), options));
  }

  /** The notification as it is now: the very same where nothing has changed, and then little is fetched. */
  async refresh(known: Got, options: CallOptions = {}): Promise<Got> {
    const headers = { "if-none-match": known.etag ?? "" };
    const answer = await this.#call("GET", pathOf("notifications", known.id), { ...options, headers, answers: [304] });
    return answer.status === 304 ? known : got(answer);
  }

  /** All that fit, newest first. Pages are fetched as they are reached. */
  list(query: ListNotificationsQuery = {}, options: CallOptions = {}): AsyncGenerator<NotificationItem, void, void> {
    return this.#pages("/notifications", { limit: 200, ...query }, options);
  }

  async count(query: CountNotificationsQuery = {}, options: CallOptions = {}): Promise<CountItem> {
    return this.#json("GET", "/notifications/count", { ...options, query });
  }

  /** What became of it, line by line, in plain English. */
  async timeline(id: string, options: CallOptions = {}): Promise<TimelineItem[]> {
    return this.#json("GET", `${pathOf("notifications", id)}/timeline`, options);
  }

  /** A message as GOV.UK Notify knows it, by the id of a notification, of a delivery, or Notify's own. */
  async messageStatus(id: string, options: CallOptions = {}): Promise<MessageStatusItem> {
    return this.#json("GET", pathOf("message-status", this.#named(), id), options);
  }

  /** The service's templates, at most five minutes old; with `refresh` as they are now. */
  async templates({ refresh, ...options }: CallOptions & { refresh?: boolean } = {}): Promise<TemplateItem[]> {
    return this.#json("GET", pathOf("templates", this.#named()), { ...options, query: { refresh } });
  }

  async template(id: string, options: CallOptions = {}): Promise<TemplateItem> {
    return this.#json("GET", pathOf("templates", this.#named(), id), options);
  }

  /** What would go out with these values. */
  async preview(
    templateId: string,
    personalisationParams: Record<string, unknown> = {},
    options: CallOptions = {},
  ): Promise<PreviewItem> {
    const body = { personalisationParams };
    return this.#json("POST", `${pathOf("templates", this.#named(), templateId)}/preview`, {
      ...options,
      body,
      repeatable: true,
    });
  }

  /** What happened since that cursor, to its present end. Keep the `cursor` of the last event, and go on there. */
  feedback(query: ListFeedbackQuery = {}, options: CallOptions = {}): AsyncGenerator<FeedbackItem, void, void> {
    return this.#pages("/feedback", { limit: 200, ...query }, options);
  }

  deadLetters(query: ListDeadLettersQuery = {}, options: CallOptions = {}): AsyncGenerator<DeadLetterItem, void, void> {
    return this.#pages("/dead-letters", { limit: 200, ...query }, options);
  }

  async deadLetter(deliveryId: string, options: CallOptions = {}): Promise<DeadLetterItem> {
    return this.#json("GET", pathOf("dead-letters", deliveryId), options);
  }

  /** Whether Postroom can do its work; that it cannot is an answer too. */
  async health(options: CallOptions = {}): Promise<Health> {
    return this.#json("GET", "/health", { ...options, answers: [503] });
  }

  /**
   * What changes for the officer whose token it is, as it happens, for as long as it is read. It goes on by
   * itself where the connection broke off; `signal` ends it.
   */
  async *stream(options: { signal?: AbortSignal; lastEventId?: string } = {}): AsyncGenerator<StreamEvent, void, void> {
    const { signal } = options;
    let [last, pause, failures] = [options.lastEventId, RECONNECT_MILLISECONDS, 0];
    while (!signal?.aborted) {
      try {
        const body = await this.#openStream(last, signal);
        for await (const { event, data, id, retry } of eventsIn(body)) {
          failures = 0;
          last = id ?? last;
          pause = retry ?? pause;
          if (event !== "message" || data) yield { event, id, data: data ? JSON.parse(data) : null } as StreamEvent;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof PostroomError && !["unavailable", "too-many"].includes(error.kind)) throw error;
      }
      failures += 1;
      const wait = Math.min(pause * 2 ** Math.min(failures - 1, 4), 30_000) * (0.5 + Math.random() / 2);
      await waitFor(wait, signal).catch(() => undefined);
    }
  }

  // Acting: where an answer is lost, only reading and removing are repeated.

  async act(id: string, actionType: ActionType, { note, etag, ...options }: ActOptions = {}): Promise<Got> {
    const body: ActionBody = note === undefined ? { actionType } : { actionType, actionNote: note };
    const headers: Record<string, string> = etag === undefined ? {} : { "if-match": etag };
    const repeatable = READING.includes(actionType) && etag === undefined;
    return got(await this.#call("PATCH", pathOf("notifications", id), { ...options, body, headers, repeatable }));
  }

  approve(id: string, note: string, options: ActOptions = {}): Promise<Got> {
    return this.act(id, "Approved", { ...options, note });
  }

  reject(id: string, note: string, options: ActOptions = {}): Promise<Got> {
    return this.act(id, "Rejected", { ...options, note });
  }

  markRead(id: string, options: CallOptions = {}): Promise<Got> {
    return this.act(id, "IsRead", options);
  }

  markUnread(id: string, options: CallOptions = {}): Promise<Got> {
    return this.act(id, "IsUnread", options);
  }

  /** What was sent is not recalled; what was not yet, is cancelled. */
  async remove(id: string, options: CallOptions = {}): Promise<void> {
    await this.#call("DELETE", pathOf("notifications", id), { ...options, repeatable: true, doneIfRepeated: [404] });
  }

  /** Send a dead letter after all. */
  async replay(deliveryId: string, body: ReplayBody = {}, options: CallOptions = {}): Promise<ReplayedItem> {
    return this.#json("POST", `${pathOf("dead-letters", deliveryId)}/replay`, { ...options, body });
  }

  // The webhook of the service. Its secret is shown once.

  async setWebhook(url: string, options: CallOptions = {}): Promise<WebhookItem> {
    return this.#json("PUT", "/webhook", { ...options, body: { url } });
  }

  async webhook(options: CallOptions = {}): Promise<WebhookItem> {
    return this.#json("GET", "/webhook", options);
  }

  async rotateWebhookSecret(options: CallOptions = {}): Promise<WebhookItem> {
    return this.#json("POST", "/webhook/rotate", options);
  }

  async removeWebhook(options: CallOptions = {}): Promise<void> {
    await this.#call("DELETE", "/webhook", { ...options, repeatable: true, doneIfRepeated: [404] });
  }

  #whose(): { serviceKey?: string } {
    return this.service === undefined ? {} : { serviceKey: this.service };
  }

  #named(): string {
    if (this.service === undefined) throw new TypeError("Name the service: new Postroom(url, { service }).");
    return this.service;
  }

  async #send(
    path: string,
    body: unknown,
    { idempotencyKey = newKey(), ...options }: SendOptions,
    isComplete?: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const headers = { "idempotency-key": idempotencyKey };
    try {
      return await this.#call("POST", path, { ...options, body, headers, repeatable: true, isComplete });
    } catch (error) {
      if (error instanceof PostroomError) error.idempotencyKey = idempotencyKey;
      throw error;
    }
  }

  async *#pages<T>(path: string, first: object, options: CallOptions): AsyncGenerator<T, void, void> {
    let query: URLSearchParams | undefined = queryOf(first);
    while (query) {
      const answer: Answer = await this.#call("GET", `${path}?${query}`, options);
      yield* listIn<T>(answer);
      query = nextQuery(answer.headers.get("link") ?? "");
    }
  }

  async #json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const answer = await this.#call(method, path, call);
    if (answer.body === undefined) throw unexpected(answer);
    return answer.body as T;
  }

  async #call(method: string, path: string, call: Call): Promise<Answer> {
    const query = call.query ? `?${queryOf(call.query)}` : "";
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = await this.#headers(call, body !== undefined);
    const asked = { method, headers, body, redirect: "error", cache: "no-store" } as const;
    const send = (signal: AbortSignal) => this.#fetch(this.#url + path + query, { ...asked, signal });
    return carryOut({ ...call, send, repeatable: call.repeatable ?? method === "GET" }, this.#policy);
  }

  async #headers(call: Call, hasBody: boolean): Promise<Record<string, string>> {
    return {
      accept: "application/json",
      ...(hasBody ? { "content-type": "application/json" } : {}),
      ...(call.correlationId === undefined ? {} : { "x-correlation-id": call.correlationId }),
      ...call.headers,
      ...(await this.#credential()),
    };
  }

  async #openStream(last: string | undefined, signal: AbortSignal | undefined): Promise<ReadableStream<Uint8Array>> {
    const headers = {
      accept: "text/event-stream",
      ...(last === undefined ? {} : { "last-event-id": last }),
      ...(await this.#credential()),
    };
    const asked = { headers, signal: signal ?? null, redirect: "error", cache: "no-store" } as const;
    const response = await this.#fetch(`${this.#url}/notifications/stream`, asked);
    if (response.ok && response.body) return response.body;
    const body: unknown = await response.json().catch(() => undefined);
    throw errorOfAnswer({ status: response.status, headers: response.headers, body });
  }
}

/** What no header can hold, such as the end of a file's line, would else be shown in an error, key and all. */
function checked(credential: string): string {
  if (!/^[!-~]+$/.test(credential)) throw new TypeError("A key or token is printable ASCII without spaces.");
  return credential;
}

/** Made of what is there in every context, also where a page came by http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function outgoing(channel: string, { template, personalisation, ...more }: ToSend): NotificationBody {
  return {
    ...more,
    notificationType: channel,
    templateId: template,
    personalisationParams: personalisation ?? more.personalisationParams,
  };
}

function got(answer: Answer): Got {
  if (answer.body === null || typeof answer.body !== "object") throw unexpected(answer);
  const { headers } = answer;
  const replayed = headers.get("idempotent-replay") === "true";
  return { ...(answer.body as NotificationItem), etag: headers.get("etag") ?? undefined, replayed };
}

function listIn<T>(answer: Answer): T[] {
  if (!Array.isArray(answer.body)) throw unexpected(answer);
  return answer.body;
}

function isTakenUp(answer: Answer): boolean {
  return !listIn<BulkResult>(answer).some(({ status }) => PUT_OFF.includes(status));
}

function unexpected({ status }: Answer): PostroomError {
  const text = `Postroom answered ${status} with something else than what was asked for.`;
  return new PostroomError(text, { kind: "unexpected-answer", status });
}

function pathOf(...parts: string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

function queryOf(filters: object): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) query.append(name, String(each));
    }
  }
  return query;
}

/** Of a link only the query is taken: a gateway may have moved the path, no other host gets the key. */
function nextQuery(link: string): URLSearchParams | undefined {
  for (const [, target = "", parameters = ""] of link.matchAll(/<([^>]*)>([^,<]*)/g)) {
    if (/;\s*rel="?next"?\s*(;|$)/.test(parameters.trim())) return new URLSearchParams(target.split("?")[1] ?? "");
  }
  return undefined;
}
