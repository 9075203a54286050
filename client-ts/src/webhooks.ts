/** Whether a call back is Postroom's, by Standard Webhooks: an HMAC over its id, its time and its body. */
import type { FeedbackItem } from "./types.ts";

/** The call is not Postroom's, or is too old. Answer 400, and do nothing else. */
export class NotVerified extends Error {
  override readonly name = "NotVerified";
}

export interface WebhookOptions {
  /** The webhook's secret; the old one and the new one while it is replaced. */
  secrets: readonly string[];
  toleranceSeconds?: number;
  now?: Date;
}

type Given = Headers | Record<string, string | readonly string[] | undefined>;

/** The event that was called back with; NotVerified where it is not signed with one of the secrets. */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: Given,
  { secrets, toleranceSeconds = 300, now = new Date() }: WebhookOptions,
): Promise<FeedbackItem> {
  if (secrets.length === 0) throw new TypeError("Give the webhook's secret.");
  const keys = await Promise.all(secrets.map(keyOf));
  const [id, sentAt] = [headerOf(headers, "webhook-id"), headerOf(headers, "webhook-timestamp")];
  if (!/^\d{1,11}$/.test(sentAt)) throw new NotVerified("It has no time.");
  if (Math.abs(now.getTime() / 1000 - Number(sentAt)) > toleranceSeconds) {
    throw new NotVerified("It is too old, or a clock is wrong.");
  }
  const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const signed = concatenated(new TextEncoder().encode(`${id}.${sentAt}.`), content);
  const given = headerOf(headers, "webhook-signature").split(" ").filter((each) => each.startsWith("v1,"));
  if (id === "" || !(await isSigned(signed, given, keys))) throw new NotVerified("No signature fits.");
  return eventIn(content, id);
}

/** All are compared, and by WebCrypto, so that time tells nothing. */
async function isSigned(signed: Uint8Array<ArrayBuffer>, given: string[], keys: CryptoKey[]): Promise<boolean> {
  const checks = given.flatMap((each) => {
    const signature = bytesOf(each.slice(3));
    return signature ? keys.map((key) => crypto.subtle.verify("HMAC", key, signature, signed)) : [];
  });
  return (await Promise.all(checks)).includes(true);
}

function eventIn(content: Uint8Array, id: string): FeedbackItem {
  try {
    const event = JSON.parse(new TextDecoder().decode(content)) as FeedbackItem;
    if (typeof event.type === "string" && typeof event.data === "object") return { ...event, id };
  } catch {
    // Told below.
  }
  throw new NotVerified("It is signed, and yet no event.");
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const raw = bytesOf(secret.replace(/^whsec_/, ""));
  if (!raw || raw.length === 0) throw new TypeError("A webhook's secret is whsec_ and base64.");
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function headerOf(headers: Given, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? "";
  const found = Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1];
  return typeof found === "string" ? found : (found?.[0] ?? "");
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
