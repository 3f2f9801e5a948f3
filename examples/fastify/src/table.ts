import type { Ngram } from "./ngrams.js";
import type { Pages } from "./pages.js";
import type { Tensors } from "./tensors.js";
import { damaged } from "./unusable.js";

/** The n-grams of a block, found by their hash, and the numbers of each. */
export class Table {
  readonly #pages: Pages;
  readonly #count: number;
  readonly #width: number;
  readonly #slots: number;
  readonly #size: number;
  readonly #at: { rows: number; starts: number; ends: number; text: number };

  constructor(pages: Pages, tensors: Tensors, block: number, outputs: number) {
    const rows = tensors.get(`${block}.rows`, "F64", [null, 1 + outputs]);
    const starts = tensors.get(`${block}.starts`, "U32", [null]);
    const ends = tensors.get(`${block}.ends`, "U32", [rows.shape[0]! + 1]);
    const text = tensors.get(`${block}.text`, "U8", [null]);
    this.#pages = pages;
    this.#count = rows.shape[0]!;
    this.#width = 8 * (1 + outputs);
    this.#slots = starts.shape[0]! - 1;
    this.#size = text.shape[0]!;
    this.#at = { rows: rows.begin, starts: starts.begin, ends: ends.begin, text: text.begin };
    if (this.#slots < 1 || !Number.isInteger(Math.log2(this.#slots))) {
      throw damaged(pages.name, "the length of an index is no power of two");
    }
  }

  /** The number of an n-gram; -1 if it is not in the table. */
  find({ hash, bytes, begin, end }: Readonly<Ngram>): number {
    const { starts, ends, text } = this.#at;
    const slot = starts + 4 * (hash % this.#slots);
    const last = this.#pages.uint32(slot + 4);
    if (last > this.#count) throw damaged(this.#pages.name, "its index leads out of it");
    for (let number = this.#pages.uint32(slot); number < last; number++) {
      const first = this.#pages.uint32(ends + 4 * number);
      const length = this.#pages.uint32(ends + 4 * number + 4) - first;
      if (length < 0 || first + length > this.#size) {
        throw damaged(this.#pages.name, "an n-gram lies outside of its table");
      }
      if (length === end - begin && this.#pages.has(text + first, bytes, begin, end)) return number;
    }
    return -1;
  }

  idf(number: number): number {
    return this.#pages.float64(this.#at.rows + number * this.#width);
  }

  /** The weight of an n-gram for an output. */
  weight(number: number, output: number): number {
    return this.#pages.float64(this.#at.rows + number * this.#width + 8 * (1 + output));
  }
}
