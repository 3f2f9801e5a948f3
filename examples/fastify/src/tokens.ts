import type { Characters } from "./characters.js";
import { codePoints, textOf } from "./codes.js";
import type { Block } from "./settings.js";

const SPACE = 0x20;

/**
 * A text as a row of units, tokens or characters: neighbouring ones are an n-gram.
 *
 * Tokens stand one space apart, so an n-gram of tokens joined by spaces is a stretch of the row.
 */
export class Row {
  readonly codes: number[] = [];
  /** Where each unit begins and ends in `codes`. */
  readonly begins: number[] = [];
  readonly ends: number[] = [];
  /** How many units there are up to each place that no n-gram reaches across. */
  readonly stops: number[] = [];

  add(unit: readonly number[]): void {
    this.begins.push(this.codes.length);
    for (const code of unit) this.codes.push(code);
    this.ends.push(this.codes.length);
  }

  stop(): this {
    this.stops.push(this.begins.length);
    return this;
  }
}

/** The row of a text; docs/scorer-format.md has the rules under the same names. */
export function rowOf(text: string, block: Block, characters: Characters): Row {
  const codes = prepared(codePoints(text), block, characters);
  switch (block.kind) {
    case "word":
      return rowOfTokens(codes, block, characters);
    case "char":
      return rowOfCharacters(codes, characters);
    case "char_wb":
      return rowOfPaddedWords(codes, characters);
  }
}

function prepared(codes: number[], block: Block, characters: Characters): number[] {
  const cased = block.lowercase ? characters.lowered(codes) : codes;
  if (block.accents === "keep") return cased;
  const decomposed = codePoints(textOf(cased).normalize("NFKD"));
  return block.accents === "ascii"
    ? decomposed.filter((code) => code < 0x80)
    : decomposed.filter((code) => !characters.isCombining(code));
}

function rowOfTokens(codes: number[], block: Block, characters: Characters): Row {
  const row = new Row();
  for (const token of tokens(codes, block, characters)) {
    if (block.stopWords.size > 0 && block.stopWords.has(token.join())) continue;
    if (row.begins.length > 0) row.codes.push(SPACE);
    row.add(token);
  }
  return row.stop();
}

function* tokens(codes: number[], { runs }: Block, characters: Characters): Generator<number[]> {
  const inRun = (code: number): boolean =>
    runs.of === "word" ? characters.isWord(code) : !characters.isSpace(code);
  for (let at = 0, end = 0; at < codes.length; at = Math.max(end, at + 1)) {
    end = endOfRun(codes, at, inRun);
    if (end - at >= runs.least) yield codes.slice(at, end);
    else if (end === at && runs.singles && !characters.isSpace(codes[at]!)) yield [codes[at]!];
  }
}

function rowOfCharacters(codes: number[], characters: Characters): Row {
  const row = new Row();
  for (let at = 0, end = 0; at < codes.length; at = Math.max(end, at + 1)) {
    end = endOfRun(codes, at, (code) => characters.isSpace(code));
    row.add([end - at > 1 ? SPACE : codes[at]!]);
  }
  return row.stop();
}

function rowOfPaddedWords(codes: number[], characters: Characters): Row {
  const row = new Row();
  for (let at = 0, end = 0; at < codes.length; at = Math.max(end, at + 1)) {
    end = endOfRun(codes, at, (code) => !characters.isSpace(code));
    if (end === at) continue;
    for (const code of [SPACE, ...codes.slice(at, end), SPACE]) row.add([code]);
    row.stop();
  }
  return row;
}

function endOfRun(codes: number[], begin: number, inRun: (code: number) => boolean): number {
  let end = begin;
  while (end < codes.length && inRun(codes[end]!)) end++;
  return end;
}
