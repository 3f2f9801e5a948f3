import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import type { FastifyInstance } from "fastify";

import { Follower } from "../src/follower.js";
import { Registry } from "../src/registry.js";
import { buildServer } from "../src/server.js";
import { place, promote, publish, temporaryFolder, vector } from "./files.js";

interface Answer {
  version: string;
  score_type: string;
  predictions: { text: string; label: string; score: number; scores: Record<string, number> }[];
}

function serverWith(t: TestContext, scorer?: Uint8Array): FastifyInstance {
  const models = temporaryFolder(t);
  if (scorer) {
    publish(models, "1.0.0", scorer);
    promote(models, 1, "1.0.0");
  }
  const server = buildServer(new Follower(new Registry(models), () => undefined));
  t.after(() => server.close());
  return server;
}

async function post(
  server: FastifyInstance,
  payload: unknown,
): Promise<{ code: number; body: string }> {
  const answer = await server.inject({
    method: "POST",
    url: "/predict",
    headers: { "content-type": "application/json" },
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  });
  assert.match(String(answer.headers["content-type"]), /^application\/json/);
  return { code: answer.statusCode, body: answer.body };
}

test("one text, and many in their order", async (t) => {
  const server = serverWith(t, vector("word-svc.safetensors"));
  const one = JSON.parse((await post(server, { text: "great value" })).body) as Answer;
  assert.deepEqual([one.version, one.score_type], ["1.0.0", "probability"]);
  const [first] = one.predictions;
  assert.deepEqual(Object.keys(first!), ["text", "label", "score", "scores"]);
  assert.equal(first!.score, first!.scores[first!.label]);
  const texts = ["waste of money", "", "great value"];
  const many = JSON.parse((await post(server, { texts })).body) as Answer;
  assert.deepEqual(
    many.predictions.map(({ text }) => text),
    texts,
  );
  assert.deepEqual(many.predictions[2], first);
  const none = JSON.parse((await post(server, { texts: [] })).body) as Answer;
  assert.deepEqual(none.predictions, []);
});

test("scores come with the highest first, whatever the labels are called", async (t) => {
  const server = serverWith(t, vector("word-ridge.safetensors"));
  const { body } = await post(server, { text: "great value" });
  const shown = [...body.split('"scores":')[1]!.matchAll(/"([^"]+)":([^,}]+)/g)];
  assert.deepEqual(shown.map(([, label]) => label).toSorted(), ["10", "9", "__proto__"]);
  const scores = shown.map(([, , score]) => Number(score));
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
});

test("texts come back as they were sent", async (t) => {
  const server = serverWith(t, vector("char_wb-logistic.safetensors"));
  const texts = [
    "\ud800",
    "\u0000\u001f\u2028",
    '"\\',
    "\u{1f600}",
    "__proto__",
    "x".repeat(900_000),
  ];
  const { code, body } = await post(server, { texts });
  assert.equal(code, 200);
  const { predictions } = JSON.parse(body) as Answer;
  assert.deepEqual(
    predictions.map(({ text }) => text),
    texts,
  );
});

const BAD = [
  "",
  "{",
  "null",
  "[]",
  '"text"',
  {},
  { text: 1 },
  { text: null },
  { texts: "a" },
  { texts: [1] },
  { text: "a", texts: [] },
  { text: "a", more: 1 },
  { txt: "a" },
  '{"__proto__": {"text": "a"}}',
];

test("a body that is something else is refused in a sentence", async (t) => {
  const server = serverWith(t, vector("word-svc.safetensors"));
  for (const payload of BAD) {
    const { code, body } = await post(server, payload);
    assert.equal(code, 400, JSON.stringify(payload));
    assert.deepEqual(Object.keys(JSON.parse(body) as object), ["error"]);
  }
  const wrong = await post(server, { text: 1 });
  assert.match(wrong.body, /the body should be/);
  assert.equal((await post(server, { text: "x".repeat(2 << 20) })).code, 413);
  const plain = await server.inject({ method: "POST", url: "/predict", payload: "a text" });
  assert.equal(plain.statusCode, 415);
  const lost = await server.inject("/");
  assert.deepEqual(lost.json(), { error: "there is POST /predict and GET /healthz" });
});

test("health is the version that is served", async (t) => {
  const healthy = await serverWith(t, vector("word-svc.safetensors")).inject("/healthz");
  assert.equal(healthy.statusCode, 200);
  assert.deepEqual(healthy.json(), { ok: true, version: "1.0.0", problem: null });
});

test("without a model every answer says why", async (t) => {
  const server = serverWith(t);
  const health = await server.inject("/healthz");
  assert.equal(health.statusCode, 503);
  assert.match(health.json<{ problem: string }>().problem, /^no version has been promoted yet in /);
  const { code, body } = await post(server, { text: "a" });
  assert.equal(code, 503);
  assert.match(body, /no version has been promoted yet in /);
});

test("a mistake of the service itself is not told to the world", async (t) => {
  const broken = { close: () => undefined } as unknown as Follower;
  const server = buildServer(broken);
  t.after(() => server.close());
  const { code, body } = await post(server, { text: "a" });
  assert.equal(code, 500);
  assert.equal(body, '{"error":"something went wrong here; the log says what"}');
});

test("damage that is met later is a sentence, and the service goes on", async (t) => {
  const bytes = vector("word-svc.safetensors");
  const { begin, end } = place(bytes, "0.rows");
  bytes.fill(0xff, begin, end);
  const server = serverWith(t, bytes);
  const { code, body } = await post(server, { text: "great value" });
  assert.equal(code, 503);
  assert.match(body, /scorer\.safetensors is damaged: what comes out is not a number/);
  assert.equal((await post(server, { text: "" })).code, 200);
});
