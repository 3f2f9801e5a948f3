import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { promote, publish, temporaryFolder, vector } from "./files.js";

function started(...options: string[]): ChildProcess {
  const main = fileURLToPath(new URL("../src/main.js", import.meta.url));
  return spawn(process.execPath, [main, ...options], { stdio: ["ignore", "inherit", "pipe"] });
}

test("the service starts, answers, follows a promotion, and ends when asked to", async (t) => {
  const models = temporaryFolder(t);
  publish(models, "1.0.0", vector("word-svc.safetensors"));
  publish(models, "1.1.0", vector("joined-log.safetensors"));
  promote(models, 1, "1.0.0");
  const service = started("--models", models, "--port", "0");
  t.after(() => service.kill("SIGKILL"));
  const lines = createInterface(service.stderr!)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value as string;

  assert.equal(await next(), "serving version 1.0.0");
  const address = (await next()).replace("listening on ", "");
  const answer = await fetch(`${address}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: "great value" }),
  });
  assert.equal(((await answer.json()) as { version: string }).version, "1.0.0");
  promote(models, 2, "1.1.0");
  assert.equal(await next(), "serving version 1.1.0");
  const health = await fetch(`${address}/healthz`, { headers: { connection: "close" } });
  assert.deepEqual(await health.json(), { ok: true, version: "1.1.0", problem: null });
  service.kill("SIGTERM");
  assert.deepEqual(await once(service, "exit"), [0, null]);
});

test("it does not start where signatures are required, which it cannot check", async () => {
  process.env["TEXTCLF_REQUIRE_SIGNATURE"] = "textclf.pub";
  const service = started("--port", "0");
  delete process.env["TEXTCLF_REQUIRE_SIGNATURE"];
  assert.deepEqual(await once(service, "exit"), [2, null]);
});

test("what cannot be done is one line", async () => {
  for (const options of [
    ["--prt", "1"],
    ["--port", "none"],
    ["--host", "256.0.0.1", "--port", "0"],
  ]) {
    const service = started(...options);
    let said = "";
    service.stderr!.on("data", (data) => (said += String(data)));
    const [code] = (await once(service, "close")) as [number];
    assert.equal(code, 2);
    assert.match(said, /(^|\n)error: [^\n]+\n$/);
  }
});
