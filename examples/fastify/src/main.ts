import { parseArgs } from "node:util";

import { Follower } from "./follower.js";
import { Registry } from "./registry.js";
import { buildServer } from "./server.js";

async function main(): Promise<void> {
  if (process.env["TEXTCLF_REQUIRE_SIGNATURE"]) {
    throw new Error("TEXTCLF_REQUIRE_SIGNATURE is set, and this service checks no signatures");
  }
  const { values } = parseArgs({
    options: {
      models: { type: "string", default: process.env["TEXTCLF_MODELS"] ?? "models" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8000" },
      drain: { type: "string", default: "5" },
    },
  });
  const drain = Number(values.drain);
  if (!(drain >= 0 && drain <= 600)) {
    throw new Error(`--drain takes seconds from 0 to 600, not ${values.drain}`);
  }
  const follower = new Follower(new Registry(values.models), (sentence) => console.error(sentence));
  const server = buildServer(follower, { logger: { level: "error", stream: process.stderr } });
  follower.start();
  const address = await server.listen({ host: values.host, port: Number(values.port) });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void server.close();
      // some client may never complete its request, or never read its answer
      setTimeout(() => process.exit(), drain * 1000).unref();
    });
  }
  console.error(`listening on ${address}`);
}

try {
  await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 2;
}
