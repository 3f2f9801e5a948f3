import { utf8 } from "./codes.js";
import { crc32 } from "./crc32.js";
import type { Row } from "./tokens.js";
import type { Block } from "./settings.js";

/** An n-gram of a text: its hash, and the stretch of bytes that it is. */
export interface Ngram {
  hash: number;
  bytes: Uint8Array;
  begin: number;
  end: number;
}

/** The n-grams of a row, each as often as it occurs; the object given is the same each time. */
export function* ngrams(row: Row, block: Block): Generator<Readonly<Ngram>> {
  const { bytes, at } = utf8(row.codes);
  const ngram: Ngram = { hash: 0, bytes, begin: 0, end: 0 };
  let first = 0;
  for (const stop of row.stops) {
    // a padded word that is too short for any n-gram is one as a whole
    const lo = block.kind === "char_wb" ? Math.min(block.lo, stop - first) : block.lo;
    for (let from = first; from < stop; from++) {
      ngram.hash = 0;
      ngram.begin = ngram.end = at[row.begins[from]!]!;
      for (let to = from; to < Math.min(stop, from + block.hi); to++) {
        const end = at[row.ends[to]!]!;
        ngram.hash = crc32(ngram.hash, bytes, ngram.end, end);
        ngram.end = end;
        if (to - from + 1 >= lo) yield ngram;
      }
    }
    first = stop;
  }
}
