// Opens a scorer and labels texts with it: `npm run bench -- SCORER TEXTS`, a text on each line.

import { readFileSync } from "node:fs";

import { Scorer } from "./scorer.js";

const [path = "", textsPath = ""] = process.argv.slice(2);
const texts = readFileSync(textsPath, "utf8")
  .split("\n")
  .filter((text) => text);

function milliseconds(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const before = process.memoryUsage.rss();
let scorer!: Scorer;
const open = milliseconds(() => (scorer = new Scorer(path)));
const first = milliseconds(() => scorer.predict(texts[0]!));
const all = texts.map((text) => milliseconds(() => scorer.predict(text))).toSorted((a, b) => a - b);
const again = milliseconds(() => texts.forEach((text) => scorer.predict(text)));
console.log(
  [
    `open ${open.toFixed(1)} ms`,
    `first text ${first.toFixed(2)} ms`,
    `median ${all[all.length >> 1]!.toFixed(3)} ms`,
    `${Math.round((1000 * texts.length) / again)} texts/s`,
    `${Math.round((process.memoryUsage.rss() - before) / 2 ** 20)} MiB`,
  ].join(", "),
);
