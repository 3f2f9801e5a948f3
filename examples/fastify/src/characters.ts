import type { Pages } from "./pages.js";
import type { Tensors } from "./tensors.js";
import { damaged } from "./unusable.js";

const COUNT = 0x110000;
const SIGMA = 0x3a3;
const FINAL_SIGMA = 0x3c2;
const SMALL_SIGMA = 0x3c3;

const WORD = 1;
const SPACE = 2;
const CASED = 4;
const IGNORABLE = 8;
const COMBINING = 16;
const CAPITAL = 32;
const RANGES = {
  word: WORD,
  space: SPACE,
  cased: CASED,
  ignorable: IGNORABLE,
  combining: COMBINING,
};

/** What the Python that wrote a scorer thinks of every character. */
export class Characters {
  readonly #kinds = new Uint8Array(COUNT);
  readonly #lower = new Map<number, number[]>();

  constructor(pages: Pages, tensors: Tensors) {
    for (const [name, kind] of Object.entries(RANGES)) {
      let next = 0;
      for (const [first = 0, last = 0] of rows(pages, tensors, name, 2)) {
        if (first < next || last < first || last >= COUNT) {
          throw damaged(pages.name, `unicode.${name} is no table of characters`);
        }
        for (let code = first; code <= last; code++) this.#kinds[code]! |= kind;
        next = last + 1;
      }
    }
    let next = 0;
    for (const [code = 0, ...lower] of rows(pages, tensors, "lower", 3)) {
      if (code < next || Math.max(code, ...lower) >= COUNT) {
        throw damaged(pages.name, "unicode.lower is no table of characters");
      }
      this.#kinds[code]! |= CAPITAL;
      this.#lower.set(
        code,
        lower.filter((each) => each !== 0),
      );
      next = code + 1;
    }
  }

  isWord(code: number): boolean {
    return this.#is(code, WORD);
  }

  isSpace(code: number): boolean {
    return this.#is(code, SPACE);
  }

  isCombining(code: number): boolean {
    return this.#is(code, COMBINING);
  }

  /** A text in lower case, as code points. */
  lowered(codes: readonly number[]): number[] {
    const lower: number[] = [];
    codes.forEach((code, at) => {
      if (code === SIGMA) lower.push(this.#endsWord(codes, at) ? FINAL_SIGMA : SMALL_SIGMA);
      else if (this.#is(code, CAPITAL)) lower.push(...this.#lower.get(code)!);
      else lower.push(code);
    });
    return lower;
  }

  /** Whether the sigma there follows a cased character and none follows it. */
  #endsWord(codes: readonly number[], at: number): boolean {
    return this.#casedNext(codes, at, -1) && !this.#casedNext(codes, at, 1);
  }

  #casedNext(codes: readonly number[], at: number, step: 1 | -1): boolean {
    let place = at + step;
    while (place in codes && this.#is(codes[place]!, IGNORABLE)) place += step;
    return place in codes && this.#is(codes[place]!, CASED);
  }

  #is(code: number, kind: number): boolean {
    return (this.#kinds[code]! & kind) !== 0;
  }
}

/** The rows of a table of characters. */
function* rows(pages: Pages, tensors: Tensors, name: string, width: number): Generator<number[]> {
  const table = tensors.get(`unicode.${name}`, "U32", [null, width]);
  for (let at = table.begin; at < table.end; at += 4 * width) {
    yield Array.from({ length: width }, (_, column) => pages.uint32(at + 4 * column));
  }
}
