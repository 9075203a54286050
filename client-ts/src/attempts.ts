/** How a request is carried out, and when it is sent again. */
import { errorOf, PostroomError } from "./errors.ts";
import type { Problem } from "./types.ts";

/**
 * How long one call is waited for, and for how long the whole is tried; `totalSeconds: 0` tries once.
 *
 * Waits grow twofold from `firstWaitSeconds`, and each is drawn from nothing up to that: callers who failed
 * together do not come back together.
 */
export interface RetryPolicy {
  callSeconds: number;
  totalSeconds: number;
  firstWaitSeconds: number;
  longestWaitSeconds: number;
}

export const USUAL: RetryPolicy = { callSeconds: 10, totalSeconds: 30, firstWaitSeconds: 0.2, longestWaitSeconds: 5 };

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

export interface Attempt {
  /** Sends the request once. */
  send: (signal: AbortSignal) => Promise<Response>;
  /** Whether it may be sent again where nobody knows whether it was taken. */
  repeatable: boolean;
  /** Statuses beside those of success that are answers. */
  answers?: readonly number[];
  /** Statuses that say, after an answer was lost, that the lost attempt had done it. */
  doneIfRepeated?: readonly number[];
  /** Whether there is nothing more to ask for; some of a list may have been put off. */
  isComplete?: (answer: Answer) => boolean;
  signal?: AbortSignal | undefined;
}

/** The answer, or a PostroomError once there is no more time, or nothing to be gained by another attempt. */
export async function carryOut(attempt: Attempt, policy: RetryPolicy): Promise<Answer> {
  const end = Date.now() + policy.totalSeconds * 1000;
  let wasLost = false;
  let soFar: Answer | undefined;
  for (let failures = 1; ; failures += 1) {
    const heard = await hear(attempt, Math.min(policy.callSeconds * 1000, Math.max(end - Date.now(), 1000)));
    if (!(heard instanceof PostroomError) && isAnswer(heard, attempt, wasLost)) {
      soFar = heard;
      if (attempt.isComplete?.(heard) ?? true) return heard;
    }
    const error = heard instanceof PostroomError ? heard : errorOfAnswer(heard);
    const mayBeTaken = heard instanceof PostroomError || isOfAGateway(heard);
    wasLost ||= mayBeTaken;
    const pause = 1000 * ((error.retryAfter ?? 0) + Math.random() * growing(failures, policy));
    const isWorthIt = mayBeTaken ? attempt.repeatable : wasNotTaken(heard as Answer);
    if (!isWorthIt || Date.now() + pause >= end) {
      if (soFar) return soFar;
      if (error.kind === "unavailable") error.mayHaveHappened = wasLost;
      throw error;
    }
    await waitFor(pause, attempt.signal);
  }
}

async function hear(attempt: Attempt, milliseconds: number): Promise<Answer | PostroomError> {
  const late = AbortSignal.timeout(milliseconds);
  const signal = attempt.signal ? AbortSignal.any([attempt.signal, late]) : late;
  try {
    const response = await attempt.send(signal);
    return { status: response.status, headers: response.headers, body: await read(response) };
  } catch (cause) {
    // Whoever stops it is told so in their own words.
    attempt.signal?.throwIfAborted();
    if (cause instanceof PostroomError) throw cause;
    const name = cause instanceof Error ? cause.name : "Error";
    return new PostroomError(`Postroom did not answer (${name}).`, { kind: "unavailable", cause });
  }
}

/** What stands in the body: undefined where it is no JSON. */
async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/[/+]json\b/.test(response.headers.get("content-type") ?? "")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function errorOfAnswer(answer: Answer): PostroomError {
  return errorOf(answer.status, problemOf(answer), retryAfterOf(answer.headers));
}

function problemOf(answer: Answer): Partial<Problem> | undefined {
  const isProblem = (answer.headers.get("content-type") ?? "").startsWith("application/problem+json");
  return isProblem && answer.body !== null && typeof answer.body === "object" ? answer.body : undefined;
}

function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function isAnswer(answer: Answer, attempt: Attempt, wasLost: boolean): boolean {
  if (answer.status >= 200 && answer.status < 300) return true;
  if (attempt.answers?.includes(answer.status)) return true;
  return wasLost && (attempt.doneIfRepeated?.includes(answer.status) ?? false);
}

/** Not Postroom's own words: something between gave up on an answer. */
function isOfAGateway(answer: Answer): boolean {
  return [502, 503, 504].includes(answer.status) && problemOf(answer) === undefined;
}

function wasNotTaken(answer: Answer): boolean {
  const { status, headers } = answer;
  return status === 429 || status === 503 || status === 207 || (status === 409 && headers.has("retry-after"));
}

function growing(failures: number, policy: RetryPolicy): number {
  return Math.min(policy.firstWaitSeconds * 2 ** Math.min(failures - 1, 30), policy.longestWaitSeconds);
}

export function waitFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
