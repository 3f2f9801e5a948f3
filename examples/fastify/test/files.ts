import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** The vectors of the Python tests, from dist/test. */
export const VECTORS = fileURLToPath(new URL("../../../../tests/vectors", import.meta.url));

export function vector(name: string): Buffer {
  return readFileSync(join(VECTORS, name));
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "textclf-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function written(t: TestContext, bytes: Uint8Array): string {
  const path = join(temporaryFolder(t), "scorer.safetensors");
  writeFileSync(path, bytes);
  return path;
}

/** A version as textclf publishes it, as far as the service reads it; without a scorer an old one. */
export function publish(models: string, version: string, scorer?: Uint8Array): string {
  const folder = join(models, version);
  mkdirSync(folder);
  const path = join(folder, "scorer.safetensors");
  if (scorer) writeFileSync(path, scorer);
  const files = scorer ? [{ file: "scorer.safetensors", sha256: "", bytes: scorer.length }] : [];
  writeFileSync(join(folder, "metadata.json"), JSON.stringify({ version, files }));
  return path;
}

export function promote(models: string, n: number, to: string): void {
  const folder = join(models, ".registry", "promotions");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${String(n).padStart(8, "0")}.json`), JSON.stringify({ n, to }));
}

type Loose = any;

/** A scorer with its head changed. */
export function rewritten(whole: Buffer, change: (head: Loose, scorer: Loose) => void): Buffer {
  const length = Number(whole.readBigUInt64LE());
  const head = JSON.parse(whole.toString("utf8", 8, 8 + length)) as Loose;
  const scorer = JSON.parse(head.__metadata__.scorer as string) as Loose;
  change(head, scorer);
  if (head.__metadata__) head.__metadata__.scorer = JSON.stringify(scorer);
  return packed(JSON.stringify(head), whole.subarray(8 + length));
}

export function packed(head: string, data: Uint8Array): Buffer {
  const encoded = Buffer.from(head);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(encoded.length));
  return Buffer.concat([length, encoded, data]);
}

/** Where an array lies in a scorer. */
export function place(whole: Buffer, name: string): { begin: number; end: number } {
  const length = Number(whole.readBigUInt64LE());
  const head = JSON.parse(whole.toString("utf8", 8, 8 + length)) as Loose;
  const [begin, end] = head[name].data_offsets as [number, number];
  return { begin: 8 + length + begin, end: 8 + length + end };
}
