// The contract server: what clients, conformance suites and benchmarks from outside talk to. Every route shows one
// ability of the server through its public interface, and every answer can be checked byte by byte.
//
// Environment: PORT and TLS_PORT (any free port when unset), HOST (127.0.0.1), TLS_DIR (where the certificate of this run is
// written, as cert.pem and key.pem). Standard output carries one line, `ready` and the URLs, once every listener is bound.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { App, closeOnSignals, developmentCertificate, HttpError, reply, sse, writeCertificate } from "httpy";

const MIB = 1024 * 1024;
const LONGEST_SLEEP_MS = 60_000;

/** Byte i of `/bytes` is i mod 251. A block of whole periods, sent again and again, goes on with the pattern. */
const PERIOD = 251;
const BLOCK = Uint8Array.from({ length: PERIOD * 261 }, (_, index) => index % PERIOD);

// `POST /` and `PUT /` hold the whole body, so they need a bound; that of the other routes is their own.
const app = new App({ bodyLimitBytes: 64 * MIB });

app.get("/", () => "Hello, World!");
app.on(["POST", "PUT"], "/", (req) => req.bytes());
app.all("/echo", (req) => {
  const pairs = req.exchange.headerPairs();
  // From HTTP/2 on it is `:authority` that says which host is asked.
  const host = pairs.some(([name]) => name === "host") ? [] : [["host", req.exchange.authority] as const];
  return [...host, ...pairs].map(([name, value]) => `${name}: ${value}\n`).join("");
});
app.get("/json", () => ({ message: "Hello, World!" }));
app.get("/users/:id", (req) => ({ id: req.params.id }));

app.get("/bytes/:n", (req) => {
  const byteCount = wholeNumber(req.params.n, Number.MAX_SAFE_INTEGER);
  return reply(patternBlocks(byteCount), {
    contentType: "application/octet-stream",
    headers: { "content-length": String(byteCount) },
  });
});

app.post("/count", async (req) => {
  let byteCount = 0;
  for await (const chunk of req) byteCount += chunk.length;
  return String(byteCount);
});

app.get("/trailers", (req) => {
  const pauseMs = wholeNumber(String(req.query["pause"] ?? 0), LONGEST_SLEEP_MS);
  const hash = createHash("sha256");
  async function* lines() {
    for (const line of ["a body\n", "whose checksum\n", "is known at its end\n"]) {
      hash.update(line);
      yield line;
    }
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return reply(lines(), { contentType: "text/plain", headers: { trailer: "x-checksum" } }).withTrailers(
    () => [["x-checksum", hash.digest("hex")]],
  );
});

app.get("/early", (req) => {
  req.early({ link: "</style.css>; rel=preload; as=style" });
  return "Hello, after a hint!";
});

app.get("/slow/:ms", async (req) => {
  const delayMs = wholeNumber(req.params.ms, LONGEST_SLEEP_MS);
  await sleep(delayMs);
  return `${delayMs} ms later`;
});

app.get("/sse", () =>
  sse(async (events) => {
    for (let id = 1; id <= 5; id++) {
      await events.send({ id: String(id), data: `event ${id}` });
      if (id < 5) await sleep(20);
    }
  }),
);

app.get("/smuggled", () => reply("a second request\n", { status: 299, headers: { "x-smuggled": "1" } }));

app.get("/push", (req) => {
  req.push("/json");
  return "pushed where the protocol can";
});

app.ws("/ws", {
  // Whoever judges this server may come from anywhere.
  origins: "*",
  maxMessageBytes: 16 * MIB,
  compression: { serverContextTakeover: true, clientContextTakeover: true },
  message: (ws, message) => void ws.send(message),
});

/** Echoes: datagrams, streams both ways, and each stream one way on one of this side's own. */
app.webtransport(
  "/wt",
  async (session) => {
    // A session that is cut ends all of them.
    const ended = (): void => undefined;
    session.datagrams.readable.pipeTo(session.datagrams.writable).catch(ended);
    const bidirectional = async (): Promise<void> => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams)
        readable.pipeTo(writable).catch(ended);
    };
    const unidirectional = async (): Promise<void> => {
      for await (const readable of session.incomingUnidirectionalStreams)
        readable.pipeTo(await session.createUnidirectionalStream()).catch(ended);
    };
    await Promise.all([bidirectional(), unidirectional()]).catch(ended);
  },
  { origins: "*" },
);

app.get("/metrics", async () =>
  reply(await server.metrics(), { contentType: "text/plain; version=0.0.4; charset=utf-8" }),
);

async function* patternBlocks(byteCount: number): AsyncGenerator<Uint8Array> {
  let left = byteCount;
  for (; left >= BLOCK.length; left -= BLOCK.length) yield BLOCK;
  if (left > 0) yield BLOCK.subarray(0, left);
}

function wholeNumber(text: string, most: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > most) {
    throw new HttpError(400, `"${text}" is not a whole number from 0 to ${most}`);
  }
  return number;
}

function portOf(name: "PORT" | "TLS_PORT"): number {
  const text = process.env[name] ?? "0";
  if (!/^\d+$/.test(text) || Number(text) > 65535) {
    throw new RangeError(`${name} is "${text}"; it must be a port from 0 (any free one) to 65535`);
  }
  return Number(text);
}

const host = process.env["HOST"] ?? "127.0.0.1";
const ports = { plain: portOf("PORT"), tls: portOf("TLS_PORT") };
const tls = await developmentCertificate();
if (process.env["TLS_DIR"]) await writeCertificate(process.env["TLS_DIR"], tls);
const server = await app.listen({
  listeners: [
    { port: ports.plain, host },
    { port: ports.tls, host, tls },
  ],
  http3: true,
});
closeOnSignals(server);
console.log(`ready ${server.urls.join(" ")}`);
