/** What is repeated and what is not, and what is sent: against a fetch that says what a test wants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Postroom, PostroomError } from "../src/index.ts";
import { faking, LOST, problem, QUICK, type Said } from "./faking.ts";

const MADE = { status: 201, body: { id: "n-1", deliveries: [] }, headers: { etag: '"1-u"' } };
const URL_OF = "https://postroom.example/api/v1";

function client(...said: Said[]) {
  const { fetch, asked } = faking(...said);
  return { asked, postroom: new Postroom(`${URL_OF}/`, { key: "key-1", service: "demo", policy: QUICK, fetch }) };
}

const email = (postroom: Postroom, more: object = {}) =>
  postroom.sendEmail({ to: "amala@example.com", template: "email", personalisation: { name: "Amala" }, ...more });

const failed = async (work: Promise<unknown>): Promise<PostroomError> => {
  const error = await work.then(
    () => assert.fail("it did not fail"),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof PostroomError, String(error));
  return error;
};

test("an email is one POST with the caller's key, name and an idempotency key", async () => {
  const { postroom, asked } = client(MADE);
  const sent = await email(postroom, { reference: "r-1" });

  assert.deepEqual([sent.id, sent.etag, sent.replayed], ["n-1", '"1-u"', false]);
  assert.equal(asked.length, 1);
  assert.deepEqual([asked[0]?.method, asked[0]?.url], ["POST", `${URL_OF}/notifications`]);
  assert.deepEqual(asked[0]?.body, {
    serviceKey: "demo",
    notificationType: "Email",
    templateId: "email",
    email: "amala@example.com",
    personalisationParams: { name: "Amala" },
    reference: "r-1",
  });
  assert.equal(asked[0]?.headers.get("x-api-key"), "key-1");
  assert.match(asked[0]?.headers.get("idempotency-key") ?? "", /^[0-9a-f]{32}$/);
});

const REPEATED: Record<string, Said> = {
  "a lost answer": LOST,
  "a gateway's 502": { status: 502, body: "<html>", headers: { "content-type": "text/html" } },
  "too many": problem(429, {}, { "retry-after": "0" }),
  busy: problem(503, {}, { "retry-after": "0" }),
  "in flight": problem(409, {}, { "retry-after": "0" }),
};

for (const [name, said] of Object.entries(REPEATED)) {
  test(`a send is repeated after ${name}, with the same key`, async () => {
    const { postroom, asked } = client(said, said, MADE);
    await email(postroom);

    assert.equal(asked.length, 3);
    assert.equal(new Set(asked.map((each) => each.headers.get("idempotency-key"))).size, 1);
  });
}

const FINAL: Array<[number, string]> = [
  [400, "invalid"],
  [401, "unauthenticated"],
  [403, "forbidden"],
  [404, "not-found"],
  [409, "conflict"],
  [412, "stale"],
  [413, "too-large"],
  [422, "key-misused"],
  [424, "provider-refused-key"],
  [500, "unexpected-answer"],
];

for (const [status, kind] of FINAL) {
  test(`${status} is said at once as ${kind}`, async () => {
    const { postroom, asked } = client(problem(status, { correlationId: "c-1" }));
    const error = await failed(email(postroom));

    assert.deepEqual([asked.length, error.kind, error.status], [1, kind, status]);
    assert.deepEqual([error.userMessage, error.correlationId], ["Sorry.", "c-1"]);
    assert.equal(error.idempotencyKey, asked[0]?.headers.get("idempotency-key"));
  });
}

test("all that has to be corrected is said by field, and nothing of what was sent", async () => {
  const errors = [{ field: "email", message: "Use an address." }, { field: "x", message: "Leave it out." }];
  const error = await failed(email(client(problem(400, { errors })).postroom));

  assert.deepEqual(error.errors, { email: "Use an address.", x: "Leave it out." });
  assert.equal(error.message, "email: Use an address.; x: Leave it out.");
});

test("an action is not repeated where it may have been taken, and that is said", async () => {
  const { postroom, asked } = client(LOST);
  const error = await failed(postroom.approve("n-1", "fine"));

  assert.deepEqual([asked.length, error.kind, error.mayHaveHappened], [1, "unavailable", true]);
});

test("an action is repeated where it was surely not taken; reading always", async () => {
  const busy = client(problem(503, {}, { "retry-after": "0" }), { status: 200, body: { id: "n-1" } });
  await busy.postroom.approve("n-1", "fine", { etag: '"1-u"' });
  const lost = client(LOST, { status: 200, body: { id: "n-1" } });
  await lost.postroom.markRead("n-1");

  assert.deepEqual([busy.asked.length, lost.asked.length], [2, 2]);
  assert.equal(busy.asked[1]?.headers.get("if-match"), '"1-u"');
});

test("a removal whose answer was lost is done where there is nothing left; else there was none", async () => {
  await client(LOST, problem(404)).postroom.remove("n-1");
  const error = await failed(client(problem(404, { reason: "unknown" })).postroom.remove("n-1"));

  assert.deepEqual([error.kind, error.reason], ["not-found", "unknown"]);
});

test("it is given up when there is no more time, and what was waited for is said", async () => {
  const { fetch, asked } = faking(problem(429, {}, { "retry-after": "60" }));
  const postroom = new Postroom(URL_OF, { key: "k", policy: { totalSeconds: 1 }, fetch });
  const error = await failed(postroom.count());

  assert.deepEqual([asked.length, error.kind, error.retryAfter], [1, "too-many", 60]);
});

test("pages follow their links by the query alone", async () => {
  const next = { link: '<https://elsewhere.example/x?limit=2&cursor=c%201>; rel="next"' };
  const { postroom, asked } = client(
    { status: 200, body: [{ id: "1" }, { id: "2" }], headers: next },
    { status: 200, body: [{ id: "3" }] },
  );
  const ids = [];
  for await (const each of postroom.list({ notificationType: ["Email", "Text"], isReadStatus: false })) ids.push(each.id);

  assert.deepEqual(ids, ["1", "2", "3"]);
  assert.deepEqual(
    asked.map((each) => each.url),
    [
      `${URL_OF}/notifications?limit=200&notificationType=Email&notificationType=Text&isReadStatus=false`,
      `${URL_OF}/notifications?limit=2&cursor=c+1`,
    ],
  );
});

test("of many, what was put off is asked for again, and the rest is told", async () => {
  const off = { index: 1, status: 503, problem: { status: 503, detail: "Busy." } };
  const wrong = { index: 1, status: 400, problem: { errors: [{ field: "email", message: "No." }] } };
  const taken = { index: 0, status: 201, notification: { id: "n-1" } };
  const { postroom, asked } = client({ status: 207, body: [taken, off] }, { status: 207, body: [taken, wrong] });
  const many = await postroom.sendMany([{ notificationType: "Screen" }, { notificationType: "Email" }]);

  assert.equal(asked.length, 2);
  assert.deepEqual(many.accepted, [{ id: "n-1" }]);
  assert.deepEqual(many.refused.map(({ index, error }) => [index, error.errors]), [[1, { email: "No." }]]);
  assert.equal(asked[1]?.headers.get("idempotency-key"), many.idempotencyKey);
});

test("what is known is not fetched again", async () => {
  const { postroom, asked } = client(MADE, { status: 304 });
  const known = await email(postroom);

  assert.equal(await postroom.refresh(known), known);
  assert.equal(asked[1]?.headers.get("if-none-match"), '"1-u"');
});

test("a signal ends it, in its caller's own words", async () => {
  const stop = new AbortController();
  const { fetch } = faking(LOST);
  const postroom = new Postroom(URL_OF, { key: "k", policy: { firstWaitSeconds: 60, longestWaitSeconds: 60 }, fetch });
  const work = postroom.count({}, { signal: stop.signal });
  stop.abort(new Error("enough"));

  await assert.rejects(work, /enough/);
});

test("who calls is one, and what no header can hold is shown in no error", async () => {
  assert.throws(() => new Postroom(URL_OF, {}), TypeError);
  assert.throws(() => new Postroom(URL_OF, { key: "k", token: "t" }), TypeError);
  assert.throws(() => new Postroom(URL_OF, { key: "secret\n" }), (error: Error) => !error.message.includes("secret"));
  const { fetch, asked } = faking({ status: 200, body: { count: 1 } });
  let turn = 0;
  const postroom = new Postroom(URL_OF, { token: async () => `t-${(turn += 1)}`, fetch });
  await postroom.count();
  await postroom.count();

  assert.deepEqual(asked.map((each) => each.headers.get("authorization")), ["Bearer t-1", "Bearer t-2"]);
});

test("an answer that is none is told as such", async () => {
  const page = { status: 200, body: "<html>", headers: { "content-type": "text/html" } };

  assert.equal((await failed(client(page).postroom.get("n-1"))).kind, "unexpected-answer");
  assert.equal((await failed(client({ status: 200, body: {} }).postroom.list().next())).kind, "unexpected-answer");
});

test("an id stays one part of a path", async () => {
  const { postroom, asked } = client({ status: 200, body: {} });
  await postroom.get("../services?x=1#y");

  assert.equal(asked[0]?.url, `${URL_OF}/notifications/..%2Fservices%3Fx%3D1%23y`);
});

const event = (id: string, name: string, data: string) => `id: ${id}\r\nevent: ${name}\r\ndata: ${data}\r\n\r\n`;

test("a stream goes on after what it has told, where it broke off", async () => {
  const first = `retry: 1\n\n: still here\n\n${event("7-a", "new", '{"id":"n-1"}')}${event("8-a", "count", '{"unread":1}')}id: 9`;
  const sse = { "content-type": "text/event-stream" };
  const { fetch, asked } = faking(
    { status: 200, body: first, headers: sse },
    LOST,
    problem(503, {}, { "retry-after": "0" }),
    { status: 200, body: `retry: 1\n\n${event("9-a", "removed", '{"id":"n-1"}')}`, headers: sse },
    problem(401),
  );
  const postroom = new Postroom(URL_OF, { token: "t", fetch });
  const told: unknown[] = [];
  const reading = (async () => {
    for await (const each of postroom.stream()) told.push([each.event, each.id, each.data]);
  })();

  assert.equal((await failed(reading)).kind, "unauthenticated");
  assert.deepEqual(told, [
    ["new", "7-a", { id: "n-1" }],
    ["count", "8-a", { unread: 1 }],
    ["removed", "9-a", { id: "n-1" }],
  ]);
  assert.deepEqual(
    asked.map((each) => each.headers.get("last-event-id")),
    [null, "8-a", "8-a", "8-a", "9-a"],
  );
});
