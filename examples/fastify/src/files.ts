import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

import { Unusable } from "./unusable.js";

const READ_AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens a file for reading and returns its descriptor and its size in bytes.
 *
 * Throws `Unusable` for anything but a regular file: opening a pipe would wait for a writer, and
 * reading a device might never end. The check is made on the descriptor, so the file cannot be
 * replaced between the check and the reading.
 */
export function openFile(path: string): { descriptor: number; size: number } {
  let descriptor: number;
  try {
    descriptor = openSync(path, READ_AT_ONCE);
  } catch (error) {
    throw cannotRead(path, error);
  }
  const status = fstatSync(descriptor);
  if (status.isFile()) return { descriptor, size: status.size };
  closeSync(descriptor);
  throw new Unusable(`${path} cannot be read: it is not a regular file`);
}

/** Reads a regular file of UTF-8 text. Throws `Unusable` where that cannot be done. */
export function readText(path: string): string {
  const { descriptor } = openFile(path);
  try {
    return readFileSync(descriptor, "utf8");
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    closeSync(descriptor);
  }
}

/** The error for a file or folder that the system does not let us read. */
export function cannotRead(path: string, error: unknown): Unusable {
  return new Unusable(`${path} cannot be read: ${(error as Error).message}`);
}
