import { setImmediate } from "node:timers/promises";

/**
 * Requests that are answered one after the other.
 *
 * Between two of them the event loop turns: signals, timers and health checks need not wait until
 * all requests that have arrived are answered.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves when those that asked before have had their turn. */
  next(): Promise<unknown> {
    this.#last = this.#last.then(() => setImmediate());
    return this.#last;
  }
}
