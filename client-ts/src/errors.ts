/** What can go wrong. No text holds a key, or what was sent. */
import type { Problem } from "./types.ts";

const KINDS = {
  400: "invalid",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  412: "stale",
  413: "too-large",
  422: "key-misused",
  424: "provider-refused-key",
  429: "too-many",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
} as const;

/** `in-flight`: the same request was still being worked on. `unavailable`: no answer, however often it was tried. */
export type ErrorKind = (typeof KINDS)[keyof typeof KINDS] | "in-flight" | "unexpected-answer";

/** The call did not bring what was asked for; `kind` says why. */
export class PostroomError extends Error {
  readonly kind: ErrorKind;
  readonly status: number | undefined;
  /** What has to be corrected, by field, all at once; empty but where the kind is `invalid`. */
  readonly errors: Readonly<Record<string, string>>;
  /** Which kind of absence it is, where the kind is `not-found`. */
  readonly reason: string | undefined;
  /** A sentence for the person at the screen. */
  readonly userMessage: string | undefined;
  readonly correlationId: string | undefined;
  /** In how many seconds Postroom wants to be asked again. */
  readonly retryAfter: number | undefined;
  /** What the request was sent with. Sent again with the same key, it counts once. */
  idempotencyKey: string | undefined;
  /** Whether an attempt may have been taken, although no answer came. */
  mayHaveHappened = false;

  constructor(
    text: string,
    told: { kind: ErrorKind; status?: number; problem?: Partial<Problem>; retryAfter?: number; cause?: unknown },
  ) {
    super(text, told.cause === undefined ? undefined : { cause: told.cause });
    this.name = "PostroomError";
    this.kind = told.kind;
    this.status = told.status;
    this.errors = byField(told.problem?.errors);
    this.reason = told.problem?.reason ?? undefined;
    this.userMessage = told.problem?.userErrorMessage;
    this.correlationId = told.problem?.correlationId ?? undefined;
    this.retryAfter = told.retryAfter;
  }
}

/** The error for an answer. Its text is the problem's, else the bare status: no gateway's page. */
export function errorOf(status: number, problem: Partial<Problem> | undefined, retryAfter?: number): PostroomError {
  const known = (KINDS as Record<number, ErrorKind>)[status] ?? "unexpected-answer";
  const kind = known === "conflict" && retryAfter !== undefined ? "in-flight" : known;
  const told = Object.entries(byField(problem?.errors)).map(([field, message]) => `${field}: ${message}`);
  const text = told.join("; ") || problem?.detail || `Postroom answered with status ${status}.`;
  return new PostroomError(text, { kind, status, problem, retryAfter });
}

/** Empty where they have another form: a gateway writes problems too. */
function byField(errors: unknown): Record<string, string> {
  if (!Array.isArray(errors)) return {};
  const told = errors.filter((each) => each && typeof each.field === "string" && typeof each.message === "string");
  return Object.fromEntries(told.map((each) => [each.field, each.message]));
}
