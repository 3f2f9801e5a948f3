import { damaged } from "./unusable.js";

/** An object of a JSON file whose fields are checked as they are read. */
export class Fields {
  readonly #fields: Record<string, unknown>;
  readonly #name: string;

  /** `name` is the file's, for messages. */
  constructor(value: unknown, name: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw damaged(name, "it has no object where one should be");
    }
    this.#fields = value as Record<string, unknown>;
    this.#name = name;
  }

  static parse(text: string, name: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw damaged(name, "it holds no JSON where it should");
    }
    return new Fields(value, name);
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  isNull(name: string): boolean {
    return (this.#own(name) ?? null) === null;
  }

  object(name: string): Fields {
    return new Fields(this.#own(name), this.#name);
  }

  text(name: string): string {
    const value = this.#own(name);
    return typeof value === "string" ? value : this.#refuse(name, "a text");
  }

  flag(name: string): boolean {
    const value = this.#own(name);
    return typeof value === "boolean" ? value : this.#refuse(name, "true or false");
  }

  number(name: string): number {
    return this.#number(name, this.#own(name));
  }

  /** A number of things, from `least`. */
  count(name: string, least = 0): number {
    return this.#count(name, this.#own(name), least);
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.#own(name));
    return found ?? this.#refuse(name, `one of ${choices.join(", ")}`);
  }

  list(name: string): unknown[] {
    const value = this.#own(name);
    return Array.isArray(value) ? value : this.#refuse(name, "a list");
  }

  texts(name: string): string[] {
    const all = this.list(name);
    return all.every((each) => typeof each === "string") ? all : this.#refuse(name, "texts");
  }

  numbers(name: string): number[] {
    return this.list(name).map((each) => this.#number(name, each));
  }

  counts(name: string, least = 0): number[] {
    return this.list(name).map((each) => this.#count(name, each, least));
  }

  objects(name: string): Fields[] {
    return this.list(name).map((each) => new Fields(each, this.#name));
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #number(name: string, value: unknown): number {
    return Number.isFinite(value) ? (value as number) : this.#refuse(name, "a number");
  }

  #count(name: string, value: unknown, least: number): number {
    const whole = Number.isSafeInteger(value) && (value as number) >= least;
    return whole ? (value as number) : this.#refuse(name, `a whole number from ${least}`);
  }

  #refuse(name: string, wanted: string): never {
    throw damaged(this.#name, `${JSON.stringify(name)} is not ${wanted}`);
  }
}
