import type { Promotion, Registry } from "./registry.js";
import type { Scorer } from "./scorer.js";
import { Unusable } from "./unusable.js";

/** A version that is in use. */
export interface Model {
  version: string;
  scorer: Scorer;
}

/** Keeps the promoted version open, and takes the next one as soon as it is promoted and whole. */
export class Follower {
  readonly #registry: Registry;
  readonly #told: (sentence: string) => void;
  #model: Model | null = null;
  #promotion: Promotion | null = null;
  #problem: string | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** `told` hears what changes, in sentences. */
  constructor(registry: Registry, told: (sentence: string) => void) {
    this.#registry = registry;
    this.#told = told;
    this.look();
  }

  /** The version in use. Throws `Unusable` where there has not been any yet. */
  get model(): Model {
    if (this.#model) return this.#model;
    throw new Unusable(this.#problem ?? "no model");
  }

  get version(): string | null {
    return this.#model?.version ?? null;
  }

  /** Why the promoted version is not in use; `null` if it is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Looks every so many milliseconds, until `close`. */
  start(every = 1000): void {
    this.#timer ??= setInterval(() => this.look(), every).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#model?.scorer.close();
    this.#model = null;
  }

  /** Takes the promoted version if that is another one now; if it fails, the old one stays. */
  look(): void {
    try {
      if (this.#promotion && !this.#registry.hasAfter(this.#promotion.n)) return;
      const promotion = this.#registry.latest();
      if (promotion.version !== this.version) this.#take(promotion.version);
      this.#promotion = promotion;
      this.#problem = null;
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== this.#problem) this.#told(problem);
      this.#problem = problem;
    }
  }

  #take(version: string): void {
    const scorer = this.#registry.scorer(version);
    this.#model?.scorer.close();
    this.#model = { version, scorer };
    this.#told(`serving version ${version}`);
  }
}
