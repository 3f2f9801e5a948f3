import assert from "node:assert/strict";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";

import type { FastifyHttpOptions } from "fastify";

import { Follower } from "../src/follower.js";
import { Registry } from "../src/registry.js";
import { buildServer } from "../src/server.js";
import { promote, publish, temporaryFolder, vector } from "./files.js";
import { connected, received, request } from "./sockets.js";

const BOUNDED = { timeout: 120_000 };

async function listening(
  t: TestContext,
  options: FastifyHttpOptions<Server> = {},
): Promise<number> {
  const models = temporaryFolder(t);
  publish(models, "1.0.0", vector("word-svc.safetensors"));
  promote(models, 1, "1.0.0");
  const follower = new Follower(new Registry(models), () => undefined);
  const server = buildServer(follower, { forceCloseConnections: true, ...options });
  t.after(() => server.close());
  await server.listen({ port: 0, host: "127.0.0.1" });
  return (server.server.address() as AddressInfo).port;
}

/** What is answered to some bytes until the connection is closed. */
async function answered(port: number, bytes: string): Promise<{ status: number; error: string }> {
  const socket = await connected(port);
  socket.write(bytes);
  const answer = await received(socket);
  const { error } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as { error: string };
  return { status: Number(answer.split(" ")[1]), error };
}

const MALFORMED = {
  "bytes that are no request": "great value\r\n\r\n",
  "a content-length beside a transfer-encoding": request("great", "transfer-encoding: chunked"),
  "two content-lengths": request("great", "content-length: 1"),
  "a negative content-length": "POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
  "a content-length of 5,000 digits": `POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: ${"9".repeat(5000)}\r\n\r\n`,
};

test(
  "a malformed request is refused in a sentence, and its connection closed",
  BOUNDED,
  async (t) => {
    const port = await listening(t);
    for (const [what, bytes] of Object.entries(MALFORMED)) {
      const refusal = { status: 400, error: "this is not a valid HTTP request" };
      assert.deepEqual(await answered(port, bytes), refusal, what);
    }
    const long = `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${"a".repeat(20_000)}\r\n\r\n`;
    const refusal = { status: 431, error: "the headers of the request are too long" };
    assert.deepEqual(await answered(port, long), refusal);
    const address = "GET /%zz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const unknown = { status: 400, error: "'/%zz' is not a valid url component" };
    assert.deepEqual(await answered(port, address), unknown);
  },
);

test("a request that does not arrive in time is refused", BOUNDED, async (t) => {
  const http = { headersTimeout: 100, connectionsCheckingInterval: 20 };
  const port = await listening(t, { requestTimeout: 100, http });
  const refusal = { status: 408, error: "the request did not arrive in time" };
  assert.deepEqual(await answered(port, "POST /pred"), refusal);
  assert.deepEqual(await answered(port, request("great value").slice(0, -1)), refusal);
});

test("a connection without traffic is closed", BOUNDED, async (t) => {
  const port = await listening(t, { connectionTimeout: 100 });
  assert.equal(await received(await connected(port)), "");
});

test("without other settings a request has 20 seconds, and a connection 30", async (t) => {
  const { server } = buildServer({ close: () => undefined } as unknown as Follower);
  t.after(() => server.close());
  assert.deepEqual([server.requestTimeout, server.headersTimeout], [20_000, 20_000]);
  assert.equal(server.timeout, 30_000);
});

test("between two requests there is time for other things", BOUNDED, async (t) => {
  const order: string[] = [];
  const predict = (text: string) => {
    order.push(text);
    setImmediate(() => order.push("other"));
    return { text, label: "a", score: 1, scores: [["a", 1]] };
  };
  const model = { version: "1.0.0", scorer: { scoreType: "probability", predict } };
  const server = buildServer({ model, close: () => undefined } as unknown as Follower);
  t.after(() => server.close());
  const answers = ["one", "two", "three"].map((text) => {
    return server.inject({ method: "POST", url: "/predict", payload: { text } });
  });
  for (const { statusCode } of await Promise.all(answers)) assert.equal(statusCode, 200);
  assert.deepEqual(order.slice(0, 5), ["one", "other", "two", "other", "three"]);
});
