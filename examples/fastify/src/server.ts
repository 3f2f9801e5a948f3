import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyServerOptions,
} from "fastify";

import type { Follower } from "./follower.js";
import type { Prediction } from "./scorer.js";
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

/** A service that labels texts with the version that a follower has. */
export function buildServer(
  follower: Follower,
  options: FastifyServerOptions = {},
): FastifyInstance {
  const server = Fastify({
    ...options,
    // a number is no text, and a field too many is a mistake
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    schemaErrorFormatter: () => new Error(WANTED),
  });

  server.get("/healthz", (_request, reply) => {
    const { version, problem } = follower;
    return reply
      .code(version === null ? 503 : 200)
      .send({ ok: problem === null, version, problem });
  });

  server.post<{ Body: Body }>("/predict", { schema: { body: BODY } }, ({ body }, reply) => {
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

  server.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Unusable) return reply.code(503).send({ error: error.message });
    const code = error.statusCode ?? 500;
    if (code < 500) return reply.code(code).send({ error: error.message });
    request.log.error(error);
    return reply.code(code).send({ error: "something went wrong here; the log says what" });
  });

  server.addHook("onClose", () => follower.close());
  return server;
}

/** Written by hand: an object would put labels like "1" first, whatever their scores. */
function asJson({ text, label, score, scores }: Prediction): string {
  const each = scores.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const start = JSON.stringify({ text, label, score }).slice(0, -1);
  return `${start},"scores":{${each.join()}}}`;
}
