/*
 * One HTTP/2 session of the bench itself, by `node:http2`: for checks and for what need not be fast.
 */
import { connect } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { text } from "node:stream/consumers";
import type { Server } from "./process.ts";
import { BenchError } from "./suite.ts";

const ANSWER_TIMEOUT_MS = 5_000;
const TLS_SUFFIX = "-tls";

/** Peers say in their name whether they speak TLS. */
export function originOf({ name, port }: Server): string {
  return `${name.endsWith(TLS_SUFFIX) ? "https" : "http"}://127.0.0.1:${port}`;
}

/** The session fails, if it does, through its streams. */
export function openSession(server: Server): ClientHttp2Session {
  // The certificate is the bench's own, and no authority vouches for it.
  const session = connect(originOf(server), { rejectUnauthorized: false });
  session.on("error", () => {});
  return session;
}

/** The text of a 200; anything else is a fault of the server's. */
export async function get(server: Server, session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ":path": path });
  const timer = setTimeout(
    () => stream.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)),
    ANSWER_TIMEOUT_MS,
  );
  try {
    const [status, content] = await Promise.all([statusOf(stream), text(stream)]);
    if (status !== 200) throw new Error(`status ${status}`);
    return content;
  } catch (error) {
    throw new BenchError(`${server.name} at ${path}: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

function statusOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once("response", (headers) => resolve(headers[":status"] ?? 0));
    stream.once("error", reject);
  });
}
