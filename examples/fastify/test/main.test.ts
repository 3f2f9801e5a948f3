import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { promote, publish, temporaryFolder, vector } from "./files.js";
import { Service, spawnService } from "./service.js";

const BOUNDED = { timeout: 30_000 };

/** A registry with two versions, of which 1.0.0 is promoted. */
function registry(t: TestContext): string {
  const models = temporaryFolder(t);
  publish(models, "1.0.0", vector("word-svc.safetensors"));
  publish(models, "1.1.0", vector("joined-log.safetensors"));
  promote(models, 1, "1.0.0");
  return models;
}

test(
  "the service starts, answers, follows a promotion, and ends when asked to",
  BOUNDED,
  async (t) => {
    const models = registry(t);
    const service = new Service(t, "--models", models);
    assert.deepEqual(await service.listening(), ["serving version 1.0.0"]);
    assert.equal((await service.predict("great value")).version, "1.0.0");
    promote(models, 2, "1.1.0");
    assert.equal(await service.line(), "serving version 1.1.0");
    assert.deepEqual(await service.get("/healthz"), {
      status: 200,
      body: { ok: true, version: "1.1.0", problem: null },
    });
    assert.deepEqual(await service.terminate(), [0, null]);
  },
);

function replaceByPipe(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}

function replaceByDevice(path: string): void {
  rmSync(path);
  symlinkSync("/dev/zero", path);
}

const REPLACED: [file: string, replace: (path: string) => void][] = [
  ["1.1.0/scorer.safetensors", replaceByPipe],
  ["1.1.0/metadata.json", replaceByPipe],
  ["1.1.0/metadata.json", replaceByDevice],
  [".registry/promotions/00000002.json", replaceByPipe],
];

test("a pipe or a device in the place of a file is refused, not waited for", BOUNDED, async (t) => {
  const starts = REPLACED.map(async ([file, replace]) => {
    const models = registry(t);
    promote(models, 2, "1.1.0");
    replace(join(models, file));
    const service = new Service(t, "--models", models);
    const problem = `${join(models, file)} cannot be read: it is not a regular file`;
    assert.deepEqual(await service.listening(), [problem]);
    assert.deepEqual(await service.get("/healthz"), {
      status: 503,
      body: { ok: false, version: null, problem },
    });
    assert.deepEqual(await service.terminate(), [0, null]);
  });
  await Promise.all(starts);
});

test("a promotion to a version with a pipe leaves the old version serving", BOUNDED, async (t) => {
  const models = registry(t);
  const scorer = join(models, "1.1.0", "scorer.safetensors");
  replaceByPipe(scorer);
  const service = new Service(t, "--models", models);
  await service.listening();
  promote(models, 2, "1.1.0");
  const problem = `${scorer} cannot be read: it is not a regular file`;
  assert.equal(await service.line(), problem);
  assert.equal((await service.predict("great value")).version, "1.0.0");
  assert.deepEqual(await service.get("/healthz"), {
    status: 200,
    body: { ok: false, version: "1.0.0", problem },
  });
  assert.deepEqual(await service.terminate(), [0, null]);
});

test(
  "the service does not start where signatures are required, which it cannot check",
  BOUNDED,
  async () => {
    process.env["TEXTCLF_REQUIRE_SIGNATURE"] = "textclf.pub";
    const service = spawnService("--port", "0");
    delete process.env["TEXTCLF_REQUIRE_SIGNATURE"];
    assert.deepEqual(await once(service, "exit"), [2, null]);
  },
);

const MISTAKES = [
  ["--prt", "1"],
  ["--port", "none"],
  ["--drain", "soon"],
  ["--host", "256.0.0.1", "--port", "0"],
];

test("what cannot be done is one line", BOUNDED, async () => {
  const starts = MISTAKES.map(async (options) => {
    const service = spawnService(...options);
    let said = "";
    service.stderr!.on("data", (data) => (said += String(data)));
    const [code] = (await once(service, "close")) as [number];
    assert.equal(code, 2);
    assert.match(said, /(^|\n)error: [^\n]+\n$/);
  });
  await Promise.all(starts);
});
