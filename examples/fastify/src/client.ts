/**
 * A typed client of `textclf serve`: the other way to label texts from TypeScript, where a service with Python runs.
 *
 * `api.ts` is generated from docs/openapi.json, so that the compiler checks each call against what the server answers.
 */
import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";

export type Prediction = components["schemas"]["TextPrediction"];
export type Options = Omit<components["schemas"]["PredictRequest"], "texts">;

/** The predictions for some texts, and the version that all of them are from. */
export type Labelled = components["schemas"]["PredictResponse"];

/** The server refuses a request; the message is its sentence. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

export interface Labeller {
  /** Label texts; rejects with `Refused`, or with the error of `fetch` if the server cannot be reached. */
  label(texts: readonly string[], options?: Options): Promise<Labelled>;
}

/** Make a client of the server at an address such as `http://127.0.0.1:8000`. */
export function connect(address: string, apiKey?: string): Labeller {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const client = createClient<paths>({ baseUrl: address, headers });
  return {
    async label(texts, options = {}) {
      const body = { ...options, texts: [...texts] };
      const { data, error, response } = await client.POST("/v1/predict", { body });
      if (data === undefined) {
        throw new Refused(response.status, error?.error ?? response.statusText);
      }
      return data;
    },
  };
}
