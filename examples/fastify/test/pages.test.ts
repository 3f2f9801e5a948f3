import assert from "node:assert/strict";
import { rmSync, truncateSync } from "node:fs";
import { test } from "node:test";

import { codePoints, utf8 } from "../src/codes.js";
import { crc32 } from "../src/crc32.js";
import { Pages } from "../src/pages.js";
import { Scorer } from "../src/scorer.js";
import { Unusable } from "../src/unusable.js";
import { vector, written } from "./files.js";

const WHOLE = vector("joined-svc.safetensors");
const TEXTS = ["this is great", "waste of money, broke after two days", "\u{1f600}\u{1f600} great"];

test("numbers and bytes that lie across pages are whole", (t) => {
  const bytes = Buffer.alloc(3 * 4096 + 5, "0123456789abc");
  const pages = new Pages(written(t, bytes));
  for (const at of [4090, 4093, 8189, 2, bytes.length - 8]) {
    assert.equal(pages.uint32(at), bytes.readUInt32LE(at));
    assert.equal(pages.float64(at), bytes.readDoubleLE(at));
  }
  assert.ok(pages.has(10, bytes, 10, bytes.length));
  assert.ok(!pages.has(10, bytes, 11, bytes.length));
  assert.deepEqual(Buffer.from(pages.bytes(100, 9000)), bytes.subarray(100, 9000));
  assert.throws(() => pages.uint32(bytes.length - 3), /is damaged: an offset leads out of it$/);
  pages.close();
});

test("a file that was removed can still be read", (t) => {
  const path = written(t, WHOLE);
  const scorer = new Scorer(path);
  rmSync(path);
  assert.ok(scorer.predict(TEXTS[0]!).score > 0);
  scorer.close();
});

test("a file that is cut under our hands is a sentence", (t) => {
  const path = written(t, WHOLE);
  const scorer = new Scorer(path);
  truncateSync(path, 20_000);
  assert.throws(
    () => scorer.predict(TEXTS[0]!),
    (error: Error) => {
      return error instanceof Unusable && error.message.endsWith("is damaged: it ends too early");
    },
  );
  scorer.close();
});

test("hashes and bytes are those of everybody", () => {
  const digits = Buffer.from("123456789");
  assert.equal(crc32(crc32(0, digits, 0, 4), digits, 4, 9), 0xcbf43926);
  const text = "a\u007f\u0080\u07ff\u0800\uffff\u{10000}\u{10ffff}";
  const { bytes, at } = utf8(codePoints(text));
  assert.deepEqual(Buffer.from(bytes.subarray(0, at.at(-1))), Buffer.from(text));
  assert.deepEqual([...utf8(codePoints("\ud800")).bytes.subarray(0, 3)], [0xed, 0xa0, 0x80]);
});
