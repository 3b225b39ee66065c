// Which requests are made again, and which are not: servers made of bytes say what became of each, or nothing at all.

import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { ClientEngine } from "../../../host/client/client_engine.ts";
import type { HttpClientOptions } from "../../../host/client/client_options.ts";
import { HttpClient } from "../../../host/client/http_client.ts";
import { HttpClientError } from "../../../host/client/http_client_error.ts";
import { createTcpDialer } from "../../../host/client/tcp_dialer.ts";
import {
  data,
  ErrorCode,
  Flag,
  FrameType,
  goaway,
  headers,
  readFrames,
  rstStream,
  settings,
  windowUpdate,
} from "../../wire/h2_frames.ts";
import { eventually, pause } from "../server/running.ts";

const PREFACE_LENGTH = 24;
const servers: Server[] = [];
const clients: HttpClient[] = [];
afterAll(() => {
  clients.forEach((client) => client.destroy());
  servers.forEach((server) => server.close());
});

/** A server whose connections are told each chunk; answers its URL. */
async function listen(onSocket: (socket: Socket, index: number) => void): Promise<string> {
  let count = 0;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onSocket(socket, count++);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

type Answering = (streamId: number, socket: Socket, connection: number, content: Buffer) => void;

/** HTTP/2: `answer` is called for each request once it is complete. */
function listenH2(answer: Answering): Promise<string> {
  return listen((socket, index) => {
    let bytes = Buffer.alloc(0);
    let hasPreface = false;
    const contents = new Map<number, Buffer>();
    // Windows wide enough for all that is sent here.
    socket.write(Buffer.concat([settings([[4, 1 << 20]]), windowUpdate(0, 1 << 20)]));
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!hasPreface && bytes.length < PREFACE_LENGTH) return;
      if (!hasPreface) bytes = bytes.subarray(PREFACE_LENGTH);
      hasPreface = true;
      for (let end = endOfFrame(bytes); end > 0; end = endOfFrame(bytes)) {
        const [{ type, flags, streamId, payload }] = readFrames(bytes.subarray(0, end)) as [Frame];
        bytes = bytes.subarray(end);
        if (type === FrameType.SETTINGS && !(flags & Flag.ACK)) socket.write(settingsAck);
        const content = contents.get(streamId) ?? Buffer.alloc(0);
        if (type === FrameType.DATA) contents.set(streamId, Buffer.concat([content, payload]));
        const isRequest = type === FrameType.HEADERS || type === FrameType.DATA;
        if (isRequest && flags & Flag.END_STREAM) {
          answer(streamId, socket, index, contents.get(streamId) ?? content);
        }
      }
    });
  });
}

type Frame = ReturnType<typeof readFrames>[number];
const settingsAck = Buffer.from([0, 0, 0, FrameType.SETTINGS, Flag.ACK, 0, 0, 0, 0]);

function endOfFrame(bytes: Buffer): number {
  if (bytes.length < 9) return 0;
  const end = 9 + bytes.readUIntBE(0, 3);
  return end <= bytes.length ? end : 0;
}

function ok(streamId: number, content: string | Uint8Array): Buffer {
  return Buffer.concat([
    headers(streamId, [[":status", "200"]], 0),
    data(streamId, content, Flag.END_STREAM),
  ]);
}

function clientOf(options: HttpClientOptions): HttpClient {
  const client = new HttpClient({ retries: 3, ...options });
  clients.push(client);
  return client;
}

const h2 = (options: HttpClientOptions = {}): HttpClient => clientOf({ protocols: ["h2"], ...options });

async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => "answered",
    (reason: unknown) => reason,
  );
  return error instanceof HttpClientError ? `${error.code} ${error.isUnprocessed}` : String(error);
}

describe("over HTTP/2", () => {
  test.each(["GET", "POST"])("a stream that is refused is asked for again, with %s", async (method) => {
    const asked: number[] = [];
    const url = await listenH2((streamId, socket) => {
      asked.push(streamId);
      socket.write(asked.length < 3 ? rstStream(streamId, ErrorCode.REFUSED_STREAM) : ok(streamId, "done"));
    });
    expect(await (await h2().fetch(url, { method })).text()).toBe("done");
    expect(asked).toEqual([1, 3, 5]);
  });

  test("it is not asked for without end", async () => {
    const asked: number[] = [];
    const url = await listenH2((streamId, socket) => {
      asked.push(streamId);
      socket.write(rstStream(streamId, ErrorCode.REFUSED_STREAM));
    });
    expect(await codeOf(h2({ retries: 1 }).fetch(url))).toBe("ERR_HTTPY_CLIENT_REFUSED true");
    expect(asked).toEqual([1, 3]);
    expect(await codeOf(h2({ retries: 0 }).fetch(url))).toBe("ERR_HTTPY_CLIENT_REFUSED true");
  });

  test.each(["GET", "POST"])("what GOAWAY leaves out goes to another connection, %s", async (method) => {
    const asked: string[] = [];
    const url = await listenH2((streamId, socket, connection) => {
      asked.push(`${connection} ${streamId}`);
      if (connection === 0 && streamId === 3) socket.write(Buffer.concat([goaway(1), ok(1, "kept")]));
      if (connection > 0) socket.write(ok(streamId, "moved"));
    });
    const client = h2();
    const texts = await Promise.all([1, 2].map(async () => (await client.fetch(url, { method })).text()));
    expect(texts).toEqual(["kept", "moved"]);
    expect(asked).toEqual(["0 1", "0 3", "1 1"]);
  });

  test("a first GOAWAY takes nothing back, and sends what follows elsewhere", async () => {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const url = await listenH2((streamId, socket, connection) => {
      asked.push(`${connection} ${streamId}`);
      if (connection === 0) socket.write(goaway(0x7fffffff));
      else socket.write(ok(streamId, "1"));
      if (connection > 0) for (const late of waiting) late();
      waiting.push(() => socket.write(ok(streamId, "0")));
    });
    const client = h2();
    const first = client.fetch(url, { method: "POST" });
    await eventually("the request", () => asked.length === 1);
    await pause(50);
    const second = client.fetch(url, { method: "POST" });
    expect([await (await first).text(), await (await second).text()]).toEqual(["0", "1"]);
    expect(asked).toEqual(["0 1", "1 1"]);
  });

  test.each([
    ["GET", "answered", 2],
    ["PUT", "answered", 2],
    ["POST", "ERR_HTTPY_CLIENT_CONNECTION_LOST false", 1],
    ["PATCH", "ERR_HTTPY_CLIENT_CONNECTION_LOST false", 1],
  ])("%s of which nobody knows what became: %s", async (method, outcome, count) => {
    const asked: number[] = [];
    const url = await listenH2((streamId, socket, connection) => {
      asked.push(streamId);
      if (connection === 0) socket.destroy();
      else socket.write(ok(streamId, ""));
    });
    expect(await codeOf(h2().fetch(url, { method }))).toBe(outcome);
    expect(asked).toHaveLength(count);
  });

  test("a reset is final, and so is a connection that breaks the protocol", async () => {
    const reset = await listenH2((streamId, socket) => socket.write(rstStream(streamId, ErrorCode.CANCEL)));
    expect(await codeOf(h2().fetch(reset))).toBe("ERR_HTTPY_CLIENT_RESET false");
    const broken = await listenH2((_streamId, socket) => socket.write(settings([[5, 1]])));
    expect(await codeOf(h2().fetch(broken))).toBe("ERR_HTTPY_CLIENT_PROTOCOL false");
  });

  test.each([
    ["is sent again from its start while that is kept", 60_000, "answered"],
    ["is not sent in parts once it is too much to keep", 70_000, "ERR_HTTPY_CLIENT_REFUSED true"],
  ])("a streamed body %s", async (_what, length, outcome) => {
    const contents: Buffer[] = [];
    const url = await listenH2((streamId, socket, _connection, content) => {
      contents.push(content);
      socket.write(contents.length === 1 ? rstStream(streamId, ErrorCode.REFUSED_STREAM) : ok(streamId, ""));
    });
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < length; sent += 1000) {
        yield await Promise.resolve(new Uint8Array(1000).fill(sent / 1000));
      }
    }
    const asked = h2().fetch(url, { method: "POST", body: body(), duplex: "half" });
    expect(await codeOf(asked)).toBe(outcome);
    if (outcome === "answered") expect(contents[1]).toEqual(contents[0]);
  });
});

describe("over HTTP/1.1", () => {
  /** Answers the first request of each connection; what comes after it meets a connection that closes. */
  async function listenOnce(asked: string[]): Promise<string> {
    return listen((socket, index) => {
      let count = 0;
      socket.on("data", (chunk: Buffer) => {
        asked.push(`${index} ${chunk.toString("latin1").split(" ", 1)[0]}`);
        if (count++ > 0) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
  }

  test.each([
    ["GET", "answered", ["0 GET", "0 GET", "1 GET"]],
    ["DELETE", "answered", ["0 GET", "0 DELETE", "1 DELETE"]],
    ["POST", "ERR_HTTPY_CLIENT_CONNECTION_LOST false", ["0 GET", "0 POST"]],
  ])("%s on a connection that the server closes meanwhile: %s", async (method, outcome, expected) => {
    const asked: string[] = [];
    const url = await listenOnce(asked);
    const client = clientOf({});
    await (await client.fetch(url)).text();
    expect(await codeOf(client.fetch(url, { method }).then((response) => response.text()))).toBe(outcome);
    expect(asked).toEqual(expected);
  });

  test("a connection that the server has closed is not used", async () => {
    const url = await listen((socket, index) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n" + String(index));
        setTimeout(() => socket.end(), 5);
      });
    });
    const client = clientOf({ retries: 0 });
    expect(await (await client.fetch(url, { method: "POST" })).text()).toBe("0");
    await eventually("the end of the connection", () => client.connections.size === 0);
    expect(await (await client.fetch(url, { method: "POST" })).text()).toBe("1");
  });

  test("what is no HTTP is not asked for again", async () => {
    let count = 0;
    const url = await listen((socket) => {
      socket.on("data", () => {
        count++;
        socket.end("SSH-2.0-server\r\n\r\n");
      });
    });
    expect(await codeOf(clientOf({}).fetch(url))).toBe("ERR_HTTPY_CLIENT_PROTOCOL false");
    expect(count).toBe(1);
  });

  test("a response that ends too early is not asked for again", async () => {
    let count = 0;
    const url = await listen((socket) => {
      socket.on("data", () => {
        count++;
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfive!");
      });
    });
    const response = await clientOf({}).fetch(url);
    expect(await codeOf(response.text())).toBe("ERR_HTTPY_CLIENT_CONNECTION_LOST false");
    expect(count).toBe(1);
  });

  test("a connection that takes too long to be made, and a response nobody sends", async () => {
    // Takes the connection and never speaks TLS.
    const url = (await listen(() => undefined)).replace("http:", "https:");
    const client = clientOf({ connectTimeoutMs: 50, retries: 0 });
    expect(await codeOf(client.fetch(url))).toBe("ERR_HTTPY_CLIENT_CONNECT_TIMEOUT true");
    const silent = await listen(() => undefined);
    const signal = AbortSignal.timeout(50);
    await expect(clientOf({}).fetch(silent, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

test("an engine that fails takes its requests with it, and says so", async () => {
  const url = new URL(await listen(() => undefined));
  const engine = await ClientEngine.start({ memoryBytes: 8 << 20, idleTimeoutMs: 1000, limits: {} });
  const dialer = createTcpDialer(() => Promise.resolve(engine), { tls: {}, streamsMax: 10 });
  const closed: unknown[] = [];
  const carrier = await dialer.dial(
    {
      host: url.hostname,
      port: Number(url.port),
      isSecure: false,
      serverName: url.hostname,
      protocols: ["h2"],
      alternative: null,
    },
    { roomy: () => undefined, closed: (one) => void closed.push(one) },
    new AbortController().signal,
  );
  const failures: HttpClientError[] = [];
  carrier.open(
    {
      method: "GET",
      target: "/",
      authority: url.host,
      fields: [],
      body: null,
      expectsContinue: false,
      closesConnection: false,
    },
    {
      informational: () => undefined,
      response: () => undefined,
      failed: (error) => void failures.push(error),
    },
  );
  engine.fail(new Error("it trapped"));
  await pause(20);
  expect(failures.map(({ code, message }) => [code, message])).toEqual([
    ["ERR_HTTPY_CLIENT_ENGINE", "the engine failed: it trapped"],
  ]);
  expect(closed).toEqual([carrier]);
  expect(carrier.isOpen).toBe(false);
});
