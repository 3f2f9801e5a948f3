import { closeSync, readSync } from "node:fs";

import { cannotRead, openFile } from "./files.js";
import { damaged, Unusable } from "./unusable.js";

const SHIFT = 12;
const PAGE = 1 << SHIFT;
const LARGEST = 2 ** 32 - 1;

/**
 * A file in memory, of which a page is read when it is asked for: what a memory map would do.
 *
 * Memory for all of it is reserved, and the system gives it when a page comes. The file stays open,
 * so a version that is removed meanwhile can still be read to the end.
 */
export class Pages {
  readonly name: string;
  readonly size: number;
  readonly #file: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isRead: Uint8Array;

  constructor(path: string) {
    this.name = path;
    ({ descriptor: this.#file, size: this.size } = openFile(path));
    try {
      if (this.size > LARGEST) throw new RangeError("it has 4 GiB or more");
      this.#bytes = new Uint8Array(this.size);
    } catch (error) {
      closeSync(this.#file);
      throw new Unusable(`${path} is too large: ${(error as Error).message}`);
    }
    this.#view = new DataView(this.#bytes.buffer);
    this.#isRead = new Uint8Array(Math.ceil(this.size / PAGE));
  }

  close(): void {
    closeSync(this.#file);
  }

  uint32(at: number): number {
    this.#require(at, at + 4);
    return this.#view.getUint32(at, true);
  }

  float64(at: number): number {
    this.#require(at, at + 8);
    return this.#view.getFloat64(at, true);
  }

  /** The bytes from `begin` to `end`, where they lie. */
  bytes(begin: number, end: number): Uint8Array {
    this.#require(begin, end);
    return this.#bytes.subarray(begin, end);
  }

  /** Whether the file has, from `at`, the bytes from `begin` to `end` of another array. */
  has(at: number, bytes: Uint8Array, begin: number, end: number): boolean {
    this.#require(at, at + end - begin);
    for (let place = begin; place < end; place++, at++) {
      if (this.#bytes[at] !== bytes[place]) return false;
    }
    return true;
  }

  /** Reads the pages of these bytes that are not there yet. */
  #require(begin: number, end: number): void {
    if (end > this.size) throw damaged(this.name, "an offset leads out of it");
    for (let page = begin >>> SHIFT; page * PAGE < end; page++) {
      if (this.#isRead[page] === 0) this.#read(page);
    }
  }

  #read(page: number): void {
    const end = Math.min((page + 1) * PAGE, this.size);
    for (let done = page * PAGE; done < end;) {
      const count = this.#readInto(done, end);
      if (count === 0) throw damaged(this.name, "it ends too early");
      done += count;
    }
    this.#isRead[page] = 1;
  }

  #readInto(begin: number, end: number): number {
    try {
      return readSync(this.#file, this.#bytes, begin, end - begin, begin);
    } catch (error) {
      throw cannotRead(this.name, error);
    }
  }
}
