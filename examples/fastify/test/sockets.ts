import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A connection to a port of this machine. An error closes it, and is not thrown. */
export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => undefined);
  return socket;
}

/** The bytes of a request to label a text. */
export function request(text: string, ...headers: string[]): string {
  const body = JSON.stringify({ text });
  const head = [
    "POST /predict HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

/** All that comes on a connection until it is closed. */
export async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, "close");
  return Buffer.concat(chunks).toString();
}
