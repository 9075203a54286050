/** Postroom from TypeScript and JavaScript, in a browser and in Node. */
export * from "./client.ts";
export { PostroomError, type ErrorKind } from "./errors.ts";
export type { RetryPolicy } from "./attempts.ts";
export type { StreamEvent } from "./stream.ts";
export type * from "./types.ts";
export { NotVerified, verifyWebhook, type WebhookOptions } from "./webhooks.ts";
