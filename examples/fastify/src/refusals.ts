import type { Socket } from "node:net";

const REFUSALS: Record<string, { status: string; sentence: string }> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: "408 Request Timeout",
    sentence: "the request did not arrive in time",
  },
  HPE_HEADER_OVERFLOW: {
    status: "431 Request Header Fields Too Large",
    sentence: "the headers of the request are too long",
  },
};

const MALFORMED = { status: "400 Bad Request", sentence: "this is not a valid HTTP request" };

/** Answers what is not a complete HTTP request, and closes the connection. */
export function refuse({ code }: { code?: string }, socket: Socket): void {
  const { status, sentence } = REFUSALS[code ?? ""] ?? MALFORMED;
  const body = JSON.stringify({ error: sentence });
  const head = [
    `HTTP/1.1 ${status}`,
    "connection: close",
    "content-type: application/json; charset=utf-8",
    `content-length: ${body.length}`,
  ];
  if (!socket.writable) socket.destroy();
  else socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
