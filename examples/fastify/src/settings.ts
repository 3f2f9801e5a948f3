import { codePoints } from "./codes.js";
import { Fields } from "./fields.js";
import { damaged, Unusable } from "./unusable.js";

/** What a token is: runs of word (or visible) characters; with `singles` other visible ones, too. */
export interface Runs {
  of: "word" | "visible";
  least: number;
  singles: boolean;
}

/** One kind of n-grams, and how their counts are weighed. */
export interface Block {
  kind: "word" | "char" | "char_wb";
  lo: number;
  hi: number;
  lowercase: boolean;
  accents: "keep" | "ascii" | "unicode";
  runs: Runs;
  /** Tokens that are dropped, as code points with commas between. */
  stopWords: ReadonlySet<string>;
  binary: boolean;
  sublinear: boolean;
  norm: "l1" | "l2" | "none";
}

const LINKS = ["softmax", "logistic", "clip", "none"] as const;

export type Link = (typeof LINKS)[number];

/** The settings of a scorer: docs/scorer-format.md says what each means. */
export interface Settings {
  labels: string[];
  outputs: number;
  intercept: number[];
  link: Link;
  scale: number;
  threshold: number | null;
  /** The share of known n-grams below which there is no label. */
  abstainUnknown: number | null;
  blocks: Block[];
}

export function readSettings(metadata: Fields, name: string): Settings {
  metadata.choice("format", ["textclf-scorer"]);
  const schema = metadata.text("schema");
  if (schema !== "1" && schema !== "2") {
    const why = `schema ${schema}; this reads up to 2`;
    throw new Unusable(`${name} was written by a later textclf (${why})`);
  }
  const fields = Fields.parse(metadata.text("scorer"), name);
  const settings: Settings = {
    labels: fields.texts("labels"),
    outputs: fields.count("outputs", 1),
    intercept: fields.numbers("intercept"),
    link: fields.choice("link", LINKS),
    scale: fields.number("scale"),
    threshold: fields.isNull("threshold") ? null : fields.number("threshold"),
    abstainUnknown: fields.isNull("abstain_unknown") ? null : fields.number("abstain_unknown"),
    blocks: fields.objects("blocks").map((block) => readBlock(block, name)),
  };
  requireSense(settings, name);
  return settings;
}

function requireSense({ labels, outputs, intercept, scale, blocks }: Settings, name: string): void {
  const enough = outputs === labels.length || (outputs === 1 && labels.length === 2);
  if (labels.length < 2 || !enough || intercept.length !== outputs) {
    throw damaged(name, "labels and outputs do not match");
  }
  if (scale <= 0) throw damaged(name, "its scale is not above 0");
  if (blocks.length === 0) throw damaged(name, "it has no n-grams");
}

function readBlock(fields: Fields, name: string): Block {
  const kind = fields.choice("kind", ["word", "char", "char_wb"] as const);
  const [lo, hi, ...more] = fields.counts("ngram_range", 1);
  if (lo === undefined || hi === undefined || more.length > 0 || lo > hi) {
    throw damaged(name, "an n-gram range is empty");
  }
  return {
    kind,
    lo,
    hi,
    lowercase: fields.flag("lowercase"),
    accents: fields.isNull("strip_accents")
      ? "keep"
      : fields.choice("strip_accents", ["ascii", "unicode"] as const),
    runs: kind === "word" ? readRuns(fields, name) : { of: "word", least: 1, singles: false },
    stopWords: new Set(
      kind === "word" ? fields.texts("stop_words").map((word) => codePoints(word).join()) : [],
    ),
    binary: fields.flag("binary"),
    sublinear: fields.flag("sublinear_tf"),
    norm: fields.isNull("norm") ? "none" : fields.choice("norm", ["l1", "l2"] as const),
  };
}

function readRuns(block: Fields, name: string): Runs {
  if (block.isNull("runs")) {
    const pattern = JSON.stringify(block.text("token_pattern"));
    throw new Unusable(
      `${name} needs Python: only its \`re\` knows what the tokens ${pattern} are`,
    );
  }
  const runs = block.object("runs");
  return {
    of: runs.choice("of", ["word", "visible"] as const),
    least: runs.count("least", 1),
    singles: runs.flag("singles"),
  };
}
