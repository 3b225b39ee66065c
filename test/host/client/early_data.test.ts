// HttpClient and the connections it had before: over HTTP/3 they are resumed, and what is safe goes in early data where that is asked for.

import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { bindNodeDatagrams } from "../../../host/transport/node_datagrams.ts";
import type { DatagramSocket } from "../../../host/transport/datagrams.ts";
import { eventually, run } from "../server/running.ts";

const tls = await developmentCertificate();
const HOST = "127.0.0.1";

/** Between a client and a server; notes what the client sends, and may hold back what the server does. */
async function relay(port: number) {
  let clientPort = 0;
  const types: number[] = [];
  const held: Uint8Array[] = [];
  const state = { types, isHolding: false, port: 0, release: () => undefined as void };
  const bind = (onDatagram: (payload: Uint8Array, from: number) => void): Promise<DatagramSocket> => {
    const take = (payload: Uint8Array, _host: string, from: number) => onDatagram(payload.slice(), from);
    return bindNodeDatagrams({ host: HOST, port: 0 }, { onDatagram: take, onClose: () => undefined });
  };
  const front = await bind((payload, from) => {
    clientPort = from;
    types.push(...packetTypes(payload));
    back.send(payload, HOST, port, 4);
  });
  const back = await bind((payload) => {
    if (state.isHolding) held.push(payload);
    else front.send(payload, HOST, clientPort, 4);
  });
  state.port = front.port;
  state.release = () => {
    state.isHolding = false;
    for (const payload of held.splice(0)) front.send(payload, HOST, clientPort, 4);
  };
  return { state, close: () => Promise.all([front.close(), back.close()]) };
}

/** Types of the packets with long headers in a datagram (RFC 9000 §17.2): 0 Initial, 1 0-RTT, 2 Handshake. */
function packetTypes(datagram: Uint8Array): number[] {
  const found: number[] = [];
  let at = 0;
  const integer = (): number => {
    const length = 1 << ((datagram[at] as number) >> 6);
    let value = (datagram[at] as number) & 0x3f;
    for (let index = 1; index < length; index++) value = value * 256 + (datagram[at + index] as number);
    at += length;
    return value;
  };
  while (at < datagram.length && ((datagram[at] as number) & 0x80) !== 0) {
    const type = ((datagram[at] as number) >> 4) & 3;
    found.push(type);
    at += 5;
    at += 1 + (datagram[at] as number);
    at += 1 + (datagram[at] as number);
    if (type === 0) {
      const tokenLength = integer();
      at += tokenLength;
    }
    const length = integer();
    at += length;
  }
  return found;
}

test.each([true, false])("a resumed connection, with earlyData %s", async (earlyData) => {
  const asked: string[] = [];
  const note = (method: string, answer: string): string => {
    asked.push(method);
    return answer;
  };
  const { port } = await run(
    (app) => {
      app.get("/", (req) => note(req.method, "got"));
      app.post("/", (req) => note(req.method, "posted"));
    },
    { tls, http3: { earlyData: true } },
  );
  const between = await relay(port);
  const options = { protocols: ["h3"], tls: { ca: tls.cert }, idleTimeoutMs: 50, earlyData } as const;
  const client = new HttpClient(options);
  const url = `https://${HOST}:${between.state.port}/`;
  const ask = async (method: string): Promise<string> => (await client.fetch(url, { method })).text();
  expect(await ask("GET")).toBe("got");
  await eventually("the first connection to end", () => client.connections.size === 0);
  expect(between.state.types).not.toContain(1);
  // The server's flight does not arrive: what it is asked now came in early data.
  between.state.isHolding = true;
  const answers = Promise.all([ask("GET"), ask("POST")]);
  if (earlyData) await eventually("a request in early data", () => asked.length === 2);
  else await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toEqual(earlyData ? ["GET", "GET"] : ["GET"]);
  expect(between.state.types.includes(1)).toBe(earlyData);
  between.state.release();
  expect(await answers).toEqual(["got", "posted"]);
  expect(asked.slice(1).sort()).toEqual(["GET", "POST"]);
  await client.close();
  await between.close();
});
