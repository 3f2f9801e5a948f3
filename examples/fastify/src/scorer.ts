import { Characters } from "./characters.js";
import { scores, winner } from "./links.js";
import { ngrams } from "./ngrams.js";
import { Pages } from "./pages.js";
import { readSettings, type Block, type Settings } from "./settings.js";
import { Table } from "./table.js";
import { Tensors } from "./tensors.js";
import { rowOf } from "./tokens.js";
import { damaged } from "./unusable.js";

export interface Prediction {
  text: string;
  /** `null` where the score, or the share of known n-grams, is below the limit of the version. */
  label: string | null;
  /** Of the label, or of what would be the label without a threshold. */
  score: number;
  /** Of all labels, the highest first. */
  scores: [label: string, score: number][];
  /** The share of the text's n-grams that the version knows, if it has a limit on it. */
  known?: number;
}

/** A compiled model: text → label and scores. */
export class Scorer {
  readonly #pages: Pages;
  readonly #settings: Settings;
  readonly #characters: Characters;
  readonly #tables: Table[];

  /** Throws `Unusable` where the file is damaged, no scorer, or one that needs Python. */
  constructor(path: string) {
    const pages = new Pages(path);
    this.#pages = pages;
    try {
      const tensors = new Tensors(pages);
      this.#settings = readSettings(tensors.metadata, path);
      const { blocks, outputs } = this.#settings;
      this.#characters = new Characters(pages, tensors);
      this.#tables = blocks.map((_, number) => new Table(pages, tensors, number, outputs));
      this.predict("");
    } catch (error) {
      pages.close();
      throw error;
    }
  }

  get scoreType(): "probability" | "decision" {
    return this.#settings.link === "none" ? "decision" : "probability";
  }

  get size(): number {
    return this.#pages.size;
  }

  close(): void {
    this.#pages.close();
  }

  /** Throws `Unusable` where what the text needs of the file turns out to be damaged. */
  predict(text: string): Prediction {
    const { labels, link, scale, threshold, abstainUnknown } = this.#settings;
    const decision = this.#finite(this.#decide(text));
    const found = this.#finite(scores(decision, link, scale));
    const best = winner(decision);
    const score = found[best]!;
    const others = labels.map((_, label) => label).filter((label) => label !== best);
    // the sort is stable: of equal scores the label comes first, the others as the file has them
    const ranked = [best, ...others].sort((a, b) => found[b]! - found[a]!);
    const known = abstainUnknown === null ? undefined : this.#shareKnown(text);
    const isRefused =
      (threshold !== null && score < threshold) ||
      (abstainUnknown !== null && known! < abstainUnknown);
    return {
      text,
      label: isRefused ? null : labels[best]!,
      score,
      scores: ranked.map((label) => [labels[label]!, found[label]!]),
      ...(known === undefined ? {} : { known }),
    };
  }

  /** The share of a text's n-grams that are known, of the blocks that count; 0 if there are none. */
  #shareKnown(text: string): number {
    const { blocks } = this.#settings;
    const kinds = new Set(blocks.map(({ kind }) => kind));
    const onlyWords = kinds.has("word") && !kinds.has("char");
    let known = 0;
    let total = 0;
    blocks.forEach((block, number) => {
      if (onlyWords && block.kind !== "word") return;
      for (const ngram of ngrams(rowOf(text, block, this.#characters), block)) {
        if (this.#tables[number]!.find(ngram) >= 0) known++;
        total++;
      }
    });
    return total === 0 ? 0 : known / total;
  }

  #decide(text: string): number[] {
    const decision = [...this.#settings.intercept];
    this.#settings.blocks.forEach((block, number) => {
      this.#add(decision, text, block, this.#tables[number]!);
    });
    return decision;
  }

  /** Adds what the n-grams of a block say. */
  #add(decision: number[], text: string, block: Block, table: Table): void {
    const counts = new Map<number, number>();
    for (const ngram of ngrams(rowOf(text, block, this.#characters), block)) {
      const number = table.find(ngram);
      if (number >= 0) counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    const values = [...counts].map(([number, count]): [number, number] => {
      return [number, weighed(count, block) * table.idf(number)];
    });
    const norm = normOf(
      values.map(([, value]) => value),
      block,
    );
    for (const [number, value] of values) {
      for (let output = 0; output < decision.length; output++) {
        decision[output]! += (value / norm) * table.weight(number, output);
      }
    }
  }

  #finite(values: readonly number[]): readonly number[] {
    if (values.every(Number.isFinite)) return values;
    throw damaged(this.#pages.name, "what comes out is not a number");
  }
}

function weighed(count: number, { binary, sublinear }: Block): number {
  const times = binary ? 1 : count;
  return sublinear ? 1 + Math.log(times) : times;
}

function normOf(values: number[], { norm }: Block): number {
  switch (norm) {
    case "none":
      return 1;
    case "l1":
      return values.reduce((sum, value) => sum + Math.abs(value), 0) || 1;
    case "l2":
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)) || 1;
  }
}
