import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Scorer } from "../src/scorer.js";
import { VECTORS } from "./files.js";

interface Vectors {
  texts: string[];
  scorers: {
    file: string;
    score_type: string;
    labels: string[];
    label: (string | null)[];
    scores: number[][];
    known?: number[];
  }[];
}

const vectors = JSON.parse(readFileSync(`${VECTORS}/vectors.json`, "utf8")) as Vectors;

for (const { file, score_type, labels, label, scores, known } of vectors.scorers) {
  test(`${file} says what Python says`, () => {
    const scorer = new Scorer(`${VECTORS}/${file}`);
    assert.equal(scorer.scoreType, score_type);
    vectors.texts.forEach((text, place) => {
      const found = scorer.predict(text);
      const shown = JSON.stringify(text.slice(0, 80));
      assert.equal(found.label, label[place], shown);
      assert.equal(found.known, known?.[place], shown);
      const byLabel = new Map(found.scores);
      labels.forEach((name, column) => {
        const difference = Math.abs(byLabel.get(name)! - scores[place]![column]!);
        assert.ok(difference < 1e-6, `${shown}: ${name} differs by ${difference}`);
      });
      const ranked = found.scores.map(([, score]) => score);
      assert.deepEqual(
        ranked,
        ranked.toSorted((a, b) => b - a),
      );
      assert.equal(byLabel.get(found.label ?? found.scores[0]![0]), found.score);
    });
    scorer.close();
  });
}
