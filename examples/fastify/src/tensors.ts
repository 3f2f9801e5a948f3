import { Fields } from "./fields.js";
import type { Pages } from "./pages.js";
import { damaged } from "./unusable.js";

const SIZES = { F64: 8, U32: 4, U8: 1 } as const;
const LONGEST_HEAD = 100_000_000;

type Dtype = keyof typeof SIZES;

/** Where an array lies in the file: its first byte and its last + 1; and what it is made of. */
export interface Tensor {
  begin: number;
  end: number;
  dtype: Dtype;
  shape: readonly number[];
}

/** The head of a safetensors file, checked against the file's size. */
export class Tensors {
  readonly metadata: Fields;
  readonly #name: string;
  readonly #tensors: ReadonlyMap<string, Tensor>;

  constructor(pages: Pages) {
    this.#name = pages.name;
    const start = 8 + lengthOfHead(pages);
    const head = Fields.parse(utf8(pages.bytes(8, start), pages.name), pages.name);
    this.metadata = head.object("__metadata__");
    const names = head.names().filter((name) => name !== "__metadata__");
    this.#tensors = new Map(
      names.map((name) => [name, located(head.object(name), start, name, pages.name)]),
    );
    this.#requireWhole(start, pages.size);
  }

  /** An array; its shape must be the one given, where `null` stands for any length. */
  get(name: string, dtype: Dtype, shape: readonly (number | null)[]): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw damaged(this.#name, `the array ${name} is missing`);
    const fits =
      tensor.dtype === dtype &&
      tensor.shape.length === shape.length &&
      shape.every((length, axis) => length === null || length === tensor.shape[axis]);
    if (!fits) throw damaged(this.#name, `the array ${name} has another type or shape`);
    return tensor;
  }

  #requireWhole(start: number, size: number): void {
    let end = start;
    const inOrder = [...this.#tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
    for (const tensor of inOrder) {
      if (tensor.begin !== end) throw damaged(this.#name, "its arrays overlap or leave holes");
      end = tensor.end;
    }
    if (end !== size) {
      throw damaged(this.#name, `it should have ${end} bytes and has ${size}`);
    }
  }
}

function lengthOfHead(pages: Pages): number {
  if (pages.size < 8) throw damaged(pages.name, "it is too short");
  const length = pages.uint32(0) + pages.uint32(4) * 2 ** 32;
  if (length > LONGEST_HEAD || 8 + length > pages.size) {
    throw damaged(pages.name, "its head does not end");
  }
  return length;
}

function located(entry: Fields, start: number, array: string, file: string): Tensor {
  const dtype = entry.choice("dtype", Object.keys(SIZES) as Dtype[]);
  const shape = entry.counts("shape");
  const [begin, end, ...more] = entry.counts("data_offsets");
  const length = shape.reduce((product, axis) => product * axis, SIZES[dtype]);
  if (begin === undefined || end === undefined || more.length > 0 || end - begin !== length) {
    throw damaged(file, `the array ${array} is not as long as its shape says`);
  }
  return { begin: start + begin, end: start + end, dtype, shape };
}

function utf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw damaged(name, "its head is not UTF-8");
  }
}
