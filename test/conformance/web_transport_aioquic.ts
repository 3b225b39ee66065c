// The client of WebTransport against a server made of aioquic: streams of both sides and kinds, datagrams, streams that come before their
// session, refusals, and every way in which a session ends.

import { join } from "node:path";
import { WebTransport } from "../../host/client/web_transport.ts";
import type { ContractServer } from "../runtime/contract_process.ts";
import { type Program, root, startProgram } from "../runtime/program.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { pythonWith } from "./tools.ts";
import { nextOf, textOf, writeText } from "../runtime/web_streams.ts";

export const webTransportAioquicSuites: Suite[] = [{ name: "WebTransport: aioquic's server", run }];

const PACKAGES = ["aioquic==1.7.2", "wsproto==1.2.0"];
const MEGABYTE = 1 << 20;
const STREAMS = 50;

async function run(server: ContractServer): Promise<SuiteResult> {
  const python = pythonWith("aioquic", PACKAGES);
  if (python === null) return skipped("no Python with PyPI's aioquic can be had");
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(server.certFolder, name));
  const script = join(root, "test/conformance/aioquic_web_transport.py");
  const program = startProgram(python, [script, cert as string, key as string]);
  try {
    const [, port] = await program.prints(/^port (\d+)$/mu);
    const dial = (path: string) =>
      new WebTransport(`https://127.0.0.1:${port}${path}`, {
        tls: { ca: server.cert, servername: "localhost" },
      });
    const outcome: [string, string | null][] = [];
    for (const [name, check] of Object.entries(checks(dial, program)))
      outcome.push([name, await problemOf(check)]);
    return results(outcome);
  } finally {
    program.child.kill("SIGKILL");
  }
}

type Check = () => Promise<void>;

function checks(dial: (path: string) => WebTransport, program: Program): Record<string, Check> {
  /** Does something in a session, which is closed afterwards. */
  const within = (path: string, use: (session: WebTransport) => Promise<void>): Check => {
    return async () => {
      const session = dial(path);
      await session.ready;
      await use(session);
      session.close();
      await session.closed;
    };
  };
  return {
    "a stream both ways": within("/", async (session) => {
      expectEqual(await echo(session, "hello"), "hello");
    }),
    "fifty streams both ways at once": within("/", async (session) => {
      const all = Array.from({ length: STREAMS }, (_, index) => echo(session, String(index)));
      expectEqual((await Promise.all(all)).join(), Array.from({ length: STREAMS }, (_, at) => at).join());
    }),
    "a megabyte each way": within("/", async (session) => {
      const text = "0123456789abcdef".repeat(MEGABYTE / 16);
      if ((await echo(session, text)) !== text) throw new Error("it came back otherwise");
    }),
    "a stream one way, answered by one of the server's": within("/", async (session) => {
      await writeText(await session.createUnidirectionalStream(), "alone");
      expectEqual(await textOf(await nextOf(session.incomingUnidirectionalStreams)), "alone");
    }),
    "a stream both ways of the server's": within("/server", async (session) => {
      // What is written there aioquic takes for frames of HTTP/3: nothing is.
      const { readable } = await nextOf(session.incomingBidirectionalStreams);
      const reader = readable.getReader();
      expectEqual(Buffer.from((await reader.read()).value ?? []).toString(), "from the server");
    }),
    datagrams: within("/", async (session) => {
      const { writable, readable } = session.datagrams;
      const writer = writable.getWriter();
      const reading = nextOf(readable);
      let isBack = false;
      void reading.finally(() => (isBack = true)).catch(() => undefined);
      // A datagram may be lost.
      for (let sent = 0; sent < 50 && !isBack; sent++) {
        await writer.write(Buffer.from("ping"));
        await new Promise((wake) => setTimeout(wake, 20));
      }
      expectEqual(Buffer.from(await reading).toString(), "ping");
    }),
    "a stream that comes before its session waits for it": within("/early", async (session) => {
      expectEqual(await textOf(await nextOf(session.incomingUnidirectionalStreams)), "early");
    }),
    "the server asks for the end": within("/drain", async (session) => {
      await session.draining;
    }),
    "the client closes with code and reason": async () => {
      const session = dial("/");
      await session.ready;
      session.close({ closeCode: 4294967295, reason: "enough" });
      // Type and length as variable-length integers, the code, the reason.
      const capsule = `80002843400affffffff${Buffer.from("enough").toString("hex")}`;
      await program.prints(new RegExp(`^capsule ${capsule}$`, "mu"));
    },
    "the server closes with code and reason": async () => {
      const { closeCode, reason } = await dial("/close").closed;
      expectEqual(`${closeCode} ${reason}`, "7 done");
    },
    "the connection is cut": async () =>
      expectFailure(await failureOf(dial("/cut").closed), "the session was cut"),
    "a session is refused": async () =>
      expectFailure(await failureOf(dial("/refused").ready), "the server answered 404"),
  };
}

async function echo(session: WebTransport, text: string): Promise<string> {
  const { readable, writable } = await session.createBidirectionalStream();
  const [, back] = await Promise.all([writeText(writable, text), textOf(readable)]);
  return back;
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error("there was no failure"),
    (error: unknown) => error as Error,
  );
}

function expectFailure({ name, message }: Error, wanted: string): void {
  expectEqual(`${name}: ${message}`, `WebTransportError: ${wanted}`);
}

function expectEqual(is: string, wanted: string): void {
  if (is !== wanted) throw new Error(`it is ${is.slice(0, 300)}`);
}
