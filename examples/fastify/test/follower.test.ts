import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { Follower } from "../src/follower.js";
import { Registry } from "../src/registry.js";
import { promote, publish, temporaryFolder, vector } from "./files.js";

const ONE = vector("word-svc.safetensors");
const TWO = vector("char-ridge.safetensors");

/** A follower of a registry with 1.0.0 promoted, and what it told. */
function followed(t: TestContext): { models: string; follower: Follower; told: string[] } {
  const models = temporaryFolder(t);
  publish(models, "1.0.0", ONE);
  promote(models, 1, "1.0.0");
  const told: string[] = [];
  const follower = new Follower(new Registry(models), (sentence) => told.push(sentence));
  t.after(() => follower.close());
  return { models, follower, told };
}

test("it takes the promoted version, and the next one when that is promoted", (t) => {
  const { models, follower, told } = followed(t);
  publish(models, "2.0.0", TWO);
  follower.look();
  assert.equal(follower.version, "1.0.0");
  promote(models, 2, "2.0.0");
  follower.look();
  assert.equal(follower.model.scorer.scoreType, "decision");
  promote(models, 3, "2.0.0");
  promote(models, 4, "1.0.0");
  follower.look();
  assert.equal(follower.model.scorer.scoreType, "probability");
  assert.equal(follower.problem, null);
  const versions = ["1.0.0", "2.0.0", "1.0.0"];
  assert.deepEqual(
    told,
    versions.map((version) => `serving version ${version}`),
  );
});

test("it looks by itself", async (t) => {
  const { models, follower } = followed(t);
  publish(models, "2.0.0", TWO);
  follower.start(5);
  promote(models, 2, "2.0.0");
  while (follower.version !== "2.0.0") await new Promise((done) => setTimeout(done, 5));
});

test("the old one stays while the new one cannot be used", (t) => {
  const { models, follower, told } = followed(t);
  const path = publish(models, "2.0.0", TWO);
  writeFileSync(path, TWO.subarray(0, -1));
  promote(models, 2, "2.0.0");
  follower.look();
  follower.look();
  assert.equal(follower.model.version, "1.0.0");
  assert.ok(follower.model.scorer.predict("great").label);
  assert.match(follower.problem!, /^\S+scorer\.safetensors is damaged: it should have \d+ bytes/);
  assert.deepEqual(told, ["serving version 1.0.0", follower.problem]);
  writeFileSync(path, TWO);
  follower.look();
  assert.equal(follower.version, "2.0.0");
  assert.equal(follower.problem, null);
});

test("a scorer of another size than published is refused", (t) => {
  const { models, follower } = followed(t);
  writeFileSync(publish(models, "2.0.0", TWO), ONE);
  promote(models, 2, "2.0.0");
  follower.look();
  assert.match(follower.problem!, /has not the size that was published$/);
});

test("a version from before there were scorers is a sentence", (t) => {
  const { models, follower } = followed(t);
  publish(models, "2.0.0");
  promote(models, 2, "2.0.0");
  follower.look();
  assert.equal(
    follower.problem,
    "version 2.0.0 has no compiled scorer, so only Python can use it: textclf predict",
  );
});

test("a version that is not there is a sentence", (t) => {
  const { models, follower } = followed(t);
  promote(models, 2, "2.0.0");
  follower.look();
  assert.match(follower.problem!, /metadata\.json cannot be read: ENOENT/);
});

const METADATA = {
  "no JSON": "{",
  "another version": '{"version": "1.0.0", "files": []}',
  "files that are none": '{"version": "2.0.0", "files": [{"file": 1}]}',
  "no size": '{"version": "2.0.0", "files": [{"file": "scorer.safetensors"}]}',
};

for (const [what, metadata] of Object.entries(METADATA)) {
  test(`metadata with ${what} is a sentence`, (t) => {
    const { models, follower } = followed(t);
    publish(models, "2.0.0", TWO);
    writeFileSync(join(models, "2.0.0", "metadata.json"), metadata);
    promote(models, 2, "2.0.0");
    follower.look();
    assert.match(follower.problem!, /metadata\.json is damaged: /);
    assert.equal(follower.version, "1.0.0");
  });
}

const RECORDS = {
  "no JSON": "{",
  "no object": "[]",
  "no version": '{"n": 2}',
  "a way out": '{"n": 2, "to": "../1.0.0"}',
  "another number": '{"n": 3, "to": "1.0.0"}',
};

for (const [what, record] of Object.entries(RECORDS)) {
  test(`a promotion record with ${what} is a sentence`, (t) => {
    const { models, follower } = followed(t);
    writeFileSync(join(models, ".registry", "promotions", "00000002.json"), record);
    follower.look();
    assert.match(follower.problem!, /00000002\.json is damaged: /);
    assert.equal(follower.version, "1.0.0");
  });
}

test("without any promotion it says so, and takes the first one", (t) => {
  const models = temporaryFolder(t);
  const follower = new Follower(new Registry(models), () => undefined);
  t.after(() => follower.close());
  assert.throws(() => follower.model, /^Unusable: no version has been promoted yet in /);
  publish(models, "1.0.0", ONE);
  promote(models, 1, "1.0.0");
  follower.look();
  assert.equal(follower.model.version, "1.0.0");
});

test("a version that is removed while it is served goes on", (t) => {
  const { models, follower } = followed(t);
  rmSync(join(models, "1.0.0"), { recursive: true });
  follower.look();
  assert.ok(follower.model.scorer.predict("waste of money").label);
});
