// What is sent over HTTP/3 within one turn leaves together, whatever promises lie between: a packet for each chunk would cost the server
// most of its time, and Chromium loses the end of content whose trailers come alone while it waits for more.

import { expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { reply } from "../../../host/router/index.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { bindNodeDatagrams } from "../../../host/transport/node_datagrams.ts";
import type { DatagramSocket } from "../../../host/transport/datagrams.ts";
import { run } from "./running.ts";

const tls = await developmentCertificate();

/** Passes datagrams on between one client and a server, and counts those of the server. */
async function relay(port: number): Promise<{ port: number; counted: () => number; close(): Promise<void> }> {
  let clientPort = 0;
  let count = 0;
  const host = "127.0.0.1";
  const sockets: DatagramSocket[] = [];
  const bind = async (onDatagram: (payload: Uint8Array, from: number) => void): Promise<DatagramSocket> => {
    const sink = {
      onDatagram: (payload: Uint8Array, _host: string, from: number) => onDatagram(payload.slice(), from),
      onClose: () => undefined,
    };
    const socket = await bindNodeDatagrams({ host, port: 0 }, sink);
    sockets.push(socket);
    return socket;
  };
  const front = await bind((payload, from) => {
    clientPort = from;
    back.send(payload, host, port, 4);
  });
  const back = await bind((payload) => {
    count++;
    front.send(payload, host, clientPort, 4);
  });
  return {
    port: front.port,
    counted: () => count,
    close: async () => void (await Promise.all(sockets.map((socket) => socket.close()))),
  };
}

test("forty chunks of a generator and trailers take few datagrams", async () => {
  async function* lines(): AsyncGenerator<string> {
    for (let line = 0; line < 40; line++) yield await Promise.resolve(`line ${line}\n`);
  }
  const { port } = await run(
    (app) => void app.get("/", () => reply(lines()).withTrailers(() => [["checksum", "1"]])),
    { tls, http3: true },
  );
  const between = await relay(port);
  const client = new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert } });
  const ask = async (): Promise<number> => {
    const before = between.counted();
    const response = await client.fetch(`https://127.0.0.1:${between.port}/`);
    expect((await response.text()).split("\n")).toHaveLength(41);
    return between.counted() - before;
  };
  await ask();
  // The handshake's last datagrams may be among those of the first answers.
  const counts = [await ask(), await ask(), await ask(), await ask()];
  expect(Math.min(...counts)).toBeLessThanOrEqual(3);
  await between.close();
  // Nothing reaches the server any more, and its acknowledgements are not waited for.
  const beganMs = performance.now();
  await client.close();
  expect(performance.now() - beganMs).toBeLessThan(5000);
});
