import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { Fields } from "./fields.js";
import { cannotRead, readText } from "./files.js";
import { Scorer } from "./scorer.js";
import { damaged, Unusable } from "./unusable.js";

const SCORER = "scorer.safetensors";
const VERSION = /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/;

/** A record of the promotion log: its number, and which version is promoted since. */
export interface Promotion {
  n: number;
  version: string;
}

/** A folder with versions of a model, made by textclf; docs/registry.md draws it. */
export class Registry {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether something was promoted after a record: one look for the record that follows it. */
  hasAfter(n: number): boolean {
    return existsSync(this.#record(n + 1));
  }

  /** The newest promotion. Throws `Unusable` where there is none. */
  latest(): Promotion {
    const names = namesIn(join(this.#folder, ".registry", "promotions"));
    const numbers = names
      .filter((name) => /^\d{8}\.json$/.test(name))
      .map((name) => parseInt(name));
    if (numbers.length === 0) {
      throw new Unusable(`no version has been promoted yet in ${this.#folder}`);
    }
    const n = numbers.reduce((highest, number) => Math.max(highest, number));
    const path = this.#record(n);
    const record = Fields.parse(readText(path), path);
    const version = record.text("to");
    if (record.count("n") !== n || !VERSION.test(version)) {
      throw damaged(path, "it is no promotion record");
    }
    return { n, version };
  }

  /** A version's scorer, its size checked. Throws `Unusable` where it has none. */
  scorer(version: string): Scorer {
    const metadata = join(this.#folder, version, "metadata.json");
    const fields = Fields.parse(readText(metadata), metadata);
    if (fields.text("version") !== version) throw damaged(metadata, "it is of another version");
    const files = fields.isNull("files") ? [] : fields.objects("files");
    const record = files.find((file) => file.text("file") === SCORER);
    if (!record) {
      throw new Unusable(
        `version ${version} has no compiled scorer, so only Python can use it: textclf predict`,
      );
    }
    const path = join(this.#folder, version, SCORER);
    const size = record.count("bytes");
    const scorer = new Scorer(path);
    if (scorer.size !== size) {
      scorer.close();
      throw damaged(path, "it has not the size that was published");
    }
    return scorer;
  }

  #record(n: number): string {
    return join(this.#folder, ".registry", "promotions", `${String(n).padStart(8, "0")}.json`);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cannotRead(folder, error);
  }
}
