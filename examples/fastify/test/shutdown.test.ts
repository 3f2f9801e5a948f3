import assert from "node:assert/strict";
import { test } from "node:test";

import { promote, publish, temporaryFolder, vector } from "./files.js";
import { Service } from "./service.js";
import { connected, received, request } from "./sockets.js";

const BOUNDED = { timeout: 120_000 };

async function serviceWith(t: Parameters<typeof temporaryFolder>[0], ...options: string[]) {
  const models = temporaryFolder(t);
  publish(models, "1.0.0", vector("word-svc.safetensors"));
  promote(models, 1, "1.0.0");
  const service = new Service(t, "--models", models, ...options);
  await service.listening();
  return service;
}

test("requests that have been sent before SIGTERM are answered", BOUNDED, async (t) => {
  const service = await serviceWith(t);
  const sockets = await Promise.all(Array.from({ length: 50 }, () => connected(service.port)));
  const answers = sockets.map(received);
  for (const socket of sockets) socket.write(request("great value ".repeat(1000)));
  assert.deepEqual(await service.terminate(), [0, null]);
  for (const answer of await Promise.all(answers)) {
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*"predictions":\[\{[^]*\}\]\}$/);
  }
});

test("no client keeps the service from ending", BOUNDED, async (t) => {
  const service = await serviceWith(t, "--drain", "0.2");
  const sent = [
    "",
    "POST /pred",
    request("great value").slice(0, -1),
    request("great value"),
    request("great value ".repeat(80_000)),
  ];
  for (const bytes of sent) {
    const socket = await connected(service.port);
    socket.write(bytes);
    socket.pause(); // and never read the answer
  }
  assert.equal((await service.predict("great value")).version, "1.0.0");
  assert.deepEqual(await service.terminate(), [0, null]);
});
