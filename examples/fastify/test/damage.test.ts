import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { Scorer } from "../src/scorer.js";
import { Unusable } from "../src/unusable.js";
import { packed, place, rewritten, vector, written } from "./files.js";

const WHOLE = vector("joined-svc.safetensors");
const TEXTS = ["this is great", "", "waste of money \u{1f600}", "\u0391\u03a3 \ud800"];

function use(t: TestContext, bytes: Uint8Array): void {
  const scorer = new Scorer(written(t, bytes));
  try {
    for (const text of TEXTS) assert.ok(Number.isFinite(scorer.predict(text).score));
  } finally {
    scorer.close();
  }
}

/** Whether a file can be used; if not, that must be said in a sentence. */
function isSensible(t: TestContext, bytes: Uint8Array): boolean {
  try {
    use(t, bytes);
    return true;
  } catch (error) {
    assert.ok(error instanceof Unusable, String(error instanceof Error ? error.stack : error));
    assert.match(
      error.message,
      /scorer\.safetensors (is damaged: |was written by |needs Python: )/,
    );
    assert.doesNotMatch(error.message, /\n/);
    return false;
  }
}

/** Numbers that are the same in each run. */
function* chance(): Generator<number, never> {
  for (let seed = 1; ;) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    yield seed >>> 8;
  }
}

test("a file that ends too early or too late is refused", (t) => {
  const numbers = chance();
  const lengths = Array.from({ length: 150 }, (_, n) =>
    n < 50 ? n : numbers.next().value % WHOLE.length,
  );
  for (const length of [...lengths, WHOLE.length - 1]) {
    assert.ok(!isSensible(t, WHOLE.subarray(0, length)), `${length} bytes`);
  }
  assert.ok(!isSensible(t, Buffer.concat([WHOLE, Buffer.alloc(1)])));
});

test("any bit may be another: it is a sentence, or the file still makes sense", (t) => {
  const numbers = chance();
  const head = place(WHOLE, "0.rows").begin;
  for (let n = 0; n < 600; n++) {
    const at = numbers.next().value % (n % 2 ? head : WHOLE.length);
    const bytes = Buffer.from(WHOLE);
    bytes[at]! ^= 1 << (numbers.next().value % 8);
    isSensible(t, bytes);
  }
});

const HEADS: Record<string, Parameters<typeof rewritten>[1]> = {
  "no metadata": (head) => delete head.__metadata__,
  "another format": (head) => (head.__metadata__.format = "pt"),
  "a later schema": (head) => (head.__metadata__.schema = "3"),
  "no schema": (head) => delete head.__metadata__.schema,
  "an array is missing": (head) => {
    head["2.rows"] = head["0.rows"];
    delete head["0.rows"];
  },
  "another type": (head) => (head["0.rows"].dtype = "I64"),
  "another shape": (head) => (head["0.rows"].shape = [1, 1]),
  "a negative size": (head) => (head["0.rows"].shape = [-1, -4]),
  "half a size": (head) => (head["0.rows"].shape = [0.5, 2]),
  "a huge shape": (head) => (head["0.rows"].shape = [2 ** 40, 2 ** 40]),
  "turned around": (head) => head["0.rows"].data_offsets.reverse(),
  "beyond the end": (head) => (head["1.text"].data_offsets = [0, 2 ** 47]),
  "three offsets": (head) => head["1.text"].data_offsets.push(0),
  "no offsets": (head) => delete head["1.text"].data_offsets,
  "a list": (head) => (head["0.ends"] = []),
  nothing: (head) => (head["0.ends"] = null),
  "no labels": (_, scorer) => delete scorer.labels,
  "blocks without arrays": (_, scorer) => scorer.blocks.push(scorer.blocks[0]),
  "no blocks": (_, scorer) => (scorer.blocks = []),
  "one label": (_, scorer) => (scorer.labels = ["a"]),
  "labels that are none": (_, scorer) => (scorer.labels = [1, 2]),
  "more labels than outputs": (_, scorer) => scorer.labels.push("x"),
  "an intercept too many": (_, scorer) => scorer.intercept.push(0.5),
  "an intercept of words": (_, scorer) => (scorer.intercept = ["1"]),
  "an unknown link": (_, scorer) => (scorer.link = "probit"),
  "an empty range": (_, scorer) => (scorer.blocks[0].ngram_range = [2, 1]),
  "a range of nothing": (_, scorer) => (scorer.blocks[0].ngram_range = [0, 1]),
  "a scale of nothing": (_, scorer) => (scorer.scale = 0),
  "another kind": (_, scorer) => (scorer.blocks[0].kind = "words"),
  "another norm": (_, scorer) => (scorer.blocks[0].norm = "l3"),
  "a flag that is none": (_, scorer) => (scorer.blocks[0].binary = 1),
  "only Python's re knows": (_, scorer) => (scorer.blocks[0].runs = null),
};

for (const [what, change] of Object.entries(HEADS)) {
  test(`a head that lies is refused: ${what}`, (t) => {
    assert.ok(
      isSensible(
        t,
        rewritten(WHOLE, () => undefined),
      ),
    );
    assert.ok(!isSensible(t, rewritten(WHOLE, change)));
  });
}

test("a head that is no JSON object, or no UTF-8, is refused", (t) => {
  for (const head of ["", "{", "[]", "null", '"x"', "[".repeat(100_000), '{"__metadata__": []}']) {
    assert.ok(!isSensible(t, packed(head, WHOLE)), head.slice(0, 20));
  }
  const latin1 = Buffer.from(WHOLE);
  latin1[10] = 0xff;
  assert.ok(!isSensible(t, latin1));
});

for (const value of [NaN, Infinity, -Infinity]) {
  test(`a score that is no number is never given: ${value}`, (t) => {
    const bytes = Buffer.from(WHOLE);
    const { begin, end } = place(WHOLE, "0.rows");
    for (let at = begin; at < end; at += 8) bytes.writeDoubleLE(value, at);
    assert.ok(!isSensible(t, bytes));
  });
}

for (const array of ["0.starts", "0.ends", "1.starts", "1.ends", "unicode.word", "unicode.lower"]) {
  test(`any number of ${array} may be any other`, (t) => {
    const { begin, end } = place(WHOLE, array);
    for (const value of [0, 1, 7, 0x7fffffff, 0xffffffff]) {
      for (const step of [end - begin, ((end - begin) >> 3) << 2, 8, 4]) {
        const bytes = Buffer.from(WHOLE);
        for (let at = begin; at < end; at += step) bytes.writeUInt32LE(value, at);
        isSensible(t, bytes);
      }
    }
  });
}
