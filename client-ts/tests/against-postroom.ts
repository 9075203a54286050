/** Every operation against a running demo, whose ready file READY names. `tests/e2e` of Postroom runs it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { type NotificationItem, Postroom, PostroomError, type StreamEvent, verifyWebhook } from "../src/index.ts";

const READY = JSON.parse(readFileSync(process.env["READY"] ?? "", "utf8"));
const NOBODY = "00000000-0000-4000-8000-000000000000";
const service = new Postroom(READY.url, { key: READY.apiKey, service: READY.service });
const officer = new Postroom(READY.url, { token: () => READY.officerToken });
const EMAIL = { to: "amala@example.com", template: "email", personalisation: { name: "Amala", ref: "X1" } };

async function until<T>(what: () => Promise<T | undefined>): Promise<T> {
  for (let left = 400; left > 0; left -= 1) {
    const found = await what();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("it did not come to pass");
}

const ended = (id: string): Promise<NotificationItem> =>
  until(async () => {
    const found = await service.get(id);
    return found.deliveries.every((each) => each.completedAt !== null) ? found : undefined;
  });

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = [];
  for await (const each of items) found.push(each);
  return found;
}

const kindOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof PostroomError ? error.kind : String(error)),
  );

test("an email is sent, followed to its end, and told line by line", async () => {
  const sent = await service.sendEmail({ ...EMAIL, reference: "ts-1", targetId: "t-1" }, { correlationId: "ts-c-1" });
  const done = await ended(sent.id);

  assert.deepEqual([sent.deliveries[0]?.status, done.deliveries[0]?.status], ["pending", "delivered"]);
  const lines = await service.timeline(sent.id);
  assert.equal(lines.some((line) => line.correlationId === "ts-c-1"), true);
  const message = await service.messageStatus(sent.id);
  assert.deepEqual([message.emailAddress, message.status], ["amala@example.com", "delivered"]);
});

test("a text, a letter and a screen are sent", async () => {
  const text = await service.sendText({ to: "07700 900456", template: "text", personalisation: { name: "Joe", code: "1" } });
  const address = ["Joe Bloggs", "123 High Street", "SW14 6BH"];
  const letter = await service.sendLetter({ address, template: "letter", personalisation: { name: "Joe" } });
  const screen = await service.sendScreen({ targetId: "t-1", targetType: "Tenure", message: "See this" });

  assert.deepEqual(
    [text, letter, screen].map((each) => each.notificationType),
    ["Text", "Letter", "Screen"],
  );
});

test("the same key makes one notification, and another body with it is refused", async () => {
  const key = { idempotencyKey: `ts-${Date.now()}` };
  const first = await service.sendEmail(EMAIL, key);
  const again = await service.sendEmail(EMAIL, key);

  assert.deepEqual([first.replayed, again.replayed, again.id], [false, true, first.id]);
  assert.equal(await kindOf(service.sendEmail({ ...EMAIL, to: "joe@example.com" }, key)), "key-misused");
});

test("what is wrong is said by field, alone and among many, and by judging alone", async () => {
  const wrong = { notificationType: "Email", templateId: "email", email: "nobody", personalisationParams: { name: "A" } };
  const error = await service.notify(wrong).catch((thrown: PostroomError) => thrown);
  const many = await service.sendMany([{ ...wrong, email: "a@example.com", personalisationParams: EMAIL.personalisation }, wrong]);

  assert(error instanceof PostroomError);
  assert.deepEqual(Object.keys(error.errors).sort(), ["email", "personalisationParams.ref"]);
  assert.equal(many.accepted.length, 1);
  assert.deepEqual(many.refused.map(({ index, error: { kind } }) => [index, kind]), [[1, "invalid"]]);
  assert.equal(await kindOf(service.validate(wrong)), "invalid");
  const right = { ...wrong, email: "a@example.com", personalisationParams: EMAIL.personalisation };
  assert.equal((await service.validate(right)).valid, true);
});

test("a list goes through all its pages, and is counted", async () => {
  const reference = `ts-list-${Date.now()}`;
  for (let left = 5; left > 0; left -= 1) await service.sendScreen({ targetId: "t-9", targetType: "Tenure", message: "x", reference });
  const found = await all(service.list({ reference, limit: 2, notificationType: ["Screen"] }));

  assert.equal(new Set(found.map((each) => each.id)).size, 5);
  assert.equal((await service.count({ reference })).count, 5);
});

test("an officer acts on what they saw, and on nothing that has changed since", async () => {
  const { id } = await service.sendScreen({ targetId: "t-1", targetType: "Tenure", message: "Decide", user: READY.officer });
  const seen = await officer.get(id);
  const approved = await officer.approve(id, "as agreed", { etag: seen.etag });

  assert.equal(approved.performedActionDoneBy, READY.officer);
  assert.equal(await kindOf(officer.reject(id, "no", { etag: seen.etag })), "stale");
  assert.equal(await officer.refresh(approved), approved);
  const read = await officer.markRead(id);
  assert.deepEqual([read.isReadStatus, (await officer.refresh(approved)).isReadStatus], [true, true]);
  await service.remove(id);
  assert.equal(await kindOf(service.get(id)), "not-found");
});

test("templates are listed and previewed", async () => {
  const found = (await service.templates({ refresh: true })).find((each) => each.id === READY.templates.email);
  const shown = await service.preview(READY.templates.email, EMAIL.personalisation);

  assert.deepEqual([found?.type, (await service.template(READY.templates.email)).id], ["Email", found?.id]);
  assert.equal(shown.body.includes("Amala"), true);
});

test("an officer is told what is new as it happens", async () => {
  const stop = new AbortController();
  const told: StreamEvent[] = [];
  const reading = (async () => {
    for await (const each of officer.stream({ signal: stop.signal })) told.push(each);
  })();
  await until(async () => told.find(({ event }) => event === "count"));
  const { id } = await service.sendScreen({ targetId: "t-1", targetType: "Tenure", message: "Live", user: READY.officer });
  const event = await until(async () => told.find((each) => each.event === "new" && each.data.id === id));
  stop.abort();
  await reading;

  assert.equal((event.data as NotificationItem).message, "Live");
});

test("a webhook is called, verified, and tells what the feed tells", async () => {
  const calls: Array<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }> = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      calls.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => server.close());
  const { secret } = await service.setWebhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  const { id } = await service.sendEmail(EMAIL, { correlationId: "ts-c-2" });
  await ended(id);
  const call = await until(async () => calls.find((each) => each.body.includes(id) && each.body.includes('"delivered"')));
  const event = await verifyWebhook(call.body, call.headers, { secrets: [secret ?? ""] });

  assert.deepEqual([event.type, event.data.notificationId, event.data.correlationId], ["delivered", id, "ts-c-2"]);
  assert.equal(call.headers["x-correlation-id"], "ts-c-2");
  const feed = await all(service.feedback({ limit: 3 }));
  assert.deepEqual(feed.find((each) => each.id === event.id), event);
  assert.equal((await service.webhook()).isOn, true);
  assert.notEqual((await service.rotateWebhookSecret()).secret, secret);
  await service.removeWebhook();
});

test("dead letters are listed, and what is not there is said to be so", async () => {
  assert.deepEqual(await all(service.deadLetters()), []);
  assert.equal(await kindOf(service.deadLetter(NOBODY)), "not-found");
  assert.equal(await kindOf(service.replay(NOBODY)), "not-found");
  assert.equal((await service.health()).status, "ok");
});

test("who is not known, or may not, is told so", async () => {
  assert.equal(await kindOf(new Postroom(READY.url, { key: "postroom_wrong" }).count()), "unauthenticated");
  assert.equal(await kindOf(officer.sendScreen({ targetId: "t", message: "x" })), "forbidden");
  await assert.rejects(all(new Postroom(READY.url, { token: "a.b.c" }).stream()), { kind: "unauthenticated" });
});
