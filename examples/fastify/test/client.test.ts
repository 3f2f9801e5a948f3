import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";

import { connect, Refused } from "../src/client.js";

const ANSWER = { version: "1.1.0", predictions: [{ label: "spam", score: 0.9, scores: { spam: 0.9, ham: 0.1 } }] };

/** A server that answers as `textclf serve` does, and keeps what it was asked. */
let server: Server;
let address = "";
const asked: { path: string | undefined; key: string | undefined; body: unknown }[] = [];

before(async () => {
  server = createServer((request, response) => {
    void read(request).then((body) => {
      asked.push({ path: request.url, key: request.headers.authorization, body: JSON.parse(body) });
      const refused = body.includes("too long");
      response.writeHead(refused ? 413 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(refused ? { error: "text 0 is too long" } : ANSWER));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => server.close());

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request) {
    body += String(part);
  }
  return body;
}

test("the client asks as the API describes it, with its key, and returns the answer", async () => {
  const labelled = await connect(address, "sesame").label(["win a prize"], { top_k: 2 });
  assert.deepEqual(labelled, ANSWER);
  assert.deepEqual(asked.at(-1), {
    path: "/v1/predict",
    key: "Bearer sesame",
    body: { top_k: 2, texts: ["win a prize"] },
  });
});

test("a refusal is an error with the server's sentence", async () => {
  await assert.rejects(connect(address).label(["too long"]), (error: unknown) => {
    assert(error instanceof Refused);
    assert.equal(error.status, 413);
    assert.equal(error.message, "text 0 is too long");
    return true;
  });
  assert.equal(asked.at(-1)?.key, undefined);
});

test("a server that cannot be reached is an error of fetch", async () => {
  await assert.rejects(connect("http://127.0.0.1:9").label(["a"]), TypeError);
});
