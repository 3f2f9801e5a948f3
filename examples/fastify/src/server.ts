import type { Server } from "node:http";
import { setImmediate } from "node:timers/promises";

import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyHttpOptions,
} from "fastify";

import type { Follower } from "./follower.js";
import { refuse } from "./refusals.js";
import type { Prediction } from "./scorer.js";
import { Turns } from "./turns.js";
import { Unusable } from "./unusable.js";

type Body = { text: string } | { texts: string[] };

const BODY = {
  type: "object",
  properties: {
    text: { type: "string" },
    texts: { type: "array", items: { type: "string" } },
  },
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
} as const;

const WANTED = 'the body should be {"text": "…"} or {"texts": ["…", …]}, with texts only';

/**
 * In milliseconds: how long a request may take to arrive, and the headers of it; how long a
 * connection may be without traffic; and how often the first two are checked.
 */
const LIMITS = {
  requestTimeout: 20_000,
  connectionTimeout: 30_000,
  http: { headersTimeout: 20_000, connectionsCheckingInterval: 1_000 },
} as const;

/** A service that labels texts with the version that a follower has. */
export function buildServer(
  follower: Follower,
  options: FastifyHttpOptions<Server> = {},
): FastifyInstance {
  const server = Fastify({
    ...LIMITS,
    ...options,
    return503OnClosing: false, // a request that has arrived is answered, though the service ends
    // a number is no text, and a field too many is a mistake
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    schemaErrorFormatter: () => new Error(WANTED),
    clientErrorHandler: refuse,
    frameworkErrors: answerError,
  });
  const turns = new Turns();

  server.get("/healthz", (_request, reply) => {
    const { version, problem } = follower;
    return reply
      .code(version === null ? 503 : 200)
      .send({ ok: problem === null, version, problem });
  });

  server.post<{ Body: Body }>("/predict", { schema: { body: BODY } }, async ({ body }, reply) => {
    await turns.next();
    const { version, scorer } = follower.model;
    const texts = "text" in body ? [body.text] : body.texts;
    const predictions = texts.map((text) => asJson(scorer.predict(text)));
    return reply
      .type("application/json; charset=utf-8")
      .send(
        `{"version":${JSON.stringify(version)},"score_type":${JSON.stringify(scorer.scoreType)},` +
          `"predictions":[${predictions.join()}]}`,
      );
  });

  server.setNotFoundHandler((_request, reply) => {
    return reply.code(404).send({ error: "there is POST /predict and GET /healthz" });
  });

  server.setErrorHandler(answerError);

  server.addHook("preClose", () => backlogAccepted(server.server));
  server.addHook("onClose", () => follower.close());
  return server;
}

/**
 * Waits until all connections that clients have opened are accepted.
 *
 * Each turn of the event loop accepts one. Those left would be reset when the server closes, with
 * the requests that have been sent on them.
 */
async function backlogAccepted(server: Server): Promise<void> {
  let isAccepting = true;
  server.on("connection", () => (isAccepting = true));
  await setImmediate(); // the rest of the current turn, which accepts nothing more
  while (isAccepting) {
    isAccepting = false;
    await setImmediate();
  }
}

/** Answers an error with one sentence; what is the service's own fault goes to the log. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  if (error instanceof Unusable) return reply.code(503).send({ error: error.message });
  const code = error.statusCode ?? 500;
  if (code < 500) return reply.code(code).send({ error: error.message });
  request.log.error(error);
  return reply.code(code).send({ error: "something went wrong here; the log says what" });
}

/** Written by hand: an object would put labels like "1" first, whatever their scores. */
function asJson({ scores, ...rest }: Prediction): string {
  const each = scores.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const start = JSON.stringify(rest).slice(0, -1);
  return `${start},"scores":{${each.join()}}}`;
}
