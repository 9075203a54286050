/** Which call backs are believed. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { NotVerified, verifyWebhook } from "../src/index.ts";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes ok!").toString("base64")}`;
const OTHER = `whsec_${Buffer.from("another secret of 32 bytes here!").toString("base64")}`;
const NOW = new Date("2026-11-12T17:27:50Z");
const BODY = JSON.stringify({ id: "e-1", type: "delivered", data: { notificationId: "n-1", reference: "Zoë" } });

function signature(body: string, secret = SECRET, id = "e-1", at = NOW): Record<string, string> {
  const sentAt = String(Math.floor(at.getTime() / 1000));
  const key = Buffer.from(secret.slice(6), "base64");
  const signed = createHmac("sha256", key).update(`${id}.${sentAt}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": sentAt, "webhook-signature": `v1,${signed}` };
}

test("what is signed is believed, however its headers and body are given", async () => {
  const headers = signature(BODY);
  const shouted = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]));
  for (const [body, given] of [
    [BODY, headers],
    [new TextEncoder().encode(BODY), new Headers(headers)],
    [Buffer.from(BODY), shouted],
  ] as const) {
    const event = await verifyWebhook(body, given, { secrets: [SECRET], now: NOW });
    assert.deepEqual([event.type, event.id, event.data.reference], ["delivered", "e-1", "Zoë"]);
  }
});

test("while a secret is replaced, either will do", async () => {
  const both = signature(BODY, OTHER);
  both["webhook-signature"] = `v1,AAAA v1a,xyz ${both["webhook-signature"]}`;

  assert.equal((await verifyWebhook(BODY, both, { secrets: [SECRET, OTHER], now: NOW })).id, "e-1");
});

const WRONG: Record<string, [string, Record<string, string>]> = {
  "another body": [`${BODY} `, signature(BODY)],
  "another secret": [BODY, signature(BODY, OTHER)],
  "another id": [BODY, { ...signature(BODY), "webhook-id": "e-2" }],
  "no id": [BODY, { ...signature(BODY, SECRET, ""), "webhook-id": "" }],
  "no signature": [BODY, { ...signature(BODY), "webhook-signature": "" }],
  "another scheme": [BODY, { ...signature(BODY), "webhook-signature": signature(BODY)["webhook-signature"]!.slice(3) }],
  "no base64": [BODY, { ...signature(BODY), "webhook-signature": "v1,%%%" }],
  "too old": [BODY, signature(BODY, SECRET, "e-1", new Date(NOW.getTime() - 301_000))],
  "from the future": [BODY, signature(BODY, SECRET, "e-1", new Date(NOW.getTime() + 301_000))],
  "no time": [BODY, { ...signature(BODY), "webhook-timestamp": "now" }],
  "no event": ["[]", signature("[]")],
  "no JSON": ["{", signature("{")],
};

for (const [name, [body, headers]] of Object.entries(WRONG)) {
  test(`${name} is not believed`, async () => {
    await assert.rejects(verifyWebhook(body, headers, { secrets: [SECRET], now: NOW }), NotVerified);
  });
}

test("a secret that is none is said to be so, without it", async () => {
  for (const secrets of [[], ["whsec_"], ["whsec_%%%"]]) {
    await assert.rejects(verifyWebhook(BODY, signature(BODY), { secrets, now: NOW }), (error: Error) => {
      return error instanceof TypeError && !error.message.includes("%%%");
    });
  }
});
