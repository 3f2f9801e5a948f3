import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.js", import.meta.url));
const LISTENING = "listening on http://127.0.0.1:";

export function spawnService(...options: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...options], { stdio: ["ignore", "inherit", "pipe"] });
}

/** The service as a process that listens on a free port; it is killed when the test ends. */
export class Service {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly exit: Promise<unknown[]>;
  port = 0;

  constructor(t: TestContext, ...options: string[]) {
    this.#process = spawnService("--port", "0", ...options);
    this.exit = once(this.#process, "exit");
    this.#lines = createInterface(this.#process.stderr!)[Symbol.asyncIterator]();
    t.after(() => this.#process.kill("SIGKILL"));
  }

  /** The next line of stderr. */
  async line(): Promise<string> {
    return (await this.#lines.next()).value as string;
  }

  /** Waits until the service listens. Returns the lines that it wrote before that. */
  async listening(): Promise<string[]> {
    const before: string[] = [];
    for (let line = await this.line(); ; line = await this.line()) {
      if (line.startsWith(LISTENING)) {
        this.port = Number(line.slice(LISTENING.length));
        return before;
      }
      before.push(line);
    }
  }

  async get(path: string): Promise<{ status: number; body: unknown }> {
    const headers = { connection: "close" };
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
    return { status: answer.status, body: await answer.json() };
  }

  async predict(text: string): Promise<{ version: string }> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/predict`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ text }),
    });
    return (await answer.json()) as { version: string };
  }

  /** Asks the service to end. Returns its exit code and the signal that ended it. */
  async terminate(): Promise<unknown[]> {
    this.#process.kill("SIGTERM");
    return this.exit;
  }
}
