// A room over WebTransport, and two clients in it: what one says on a stream, the other hears; where a pointer is goes by datagrams, of
// which only the newest matters. The clients are this program's own; a page does the same with the browser's WebTransport.

import { App, developmentCertificate, WebTransport, type WebTransportSession } from "httpy";

const tls = await developmentCertificate();
const app = new App();
const room = new Set<WebTransportSession>();

app.webtransport("/room", async (session) => {
  room.add(session);
  void session.closed.catch(() => undefined).then(() => room.delete(session));
  const others = () => [...room].filter((one) => one !== session);
  void (async () => {
    for await (const datagram of session.datagrams.readable) {
      for (const other of others()) {
        const writer = other.datagrams.writable.getWriter();
        await writer.write(datagram);
        writer.releaseLock();
      }
    }
  })().catch(() => undefined);
  for await (const stream of session.incomingUnidirectionalStreams) {
    const text = await new Response(stream).text();
    for (const other of others()) await say(await other.createUnidirectionalStream(), text);
  }
});

async function say(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

const server = await app.listen({
  host: "localhost",
  port: Number(process.env["PORT"] ?? 4433),
  tls,
  http3: true,
});
const url = `${server.urls[0]}room`;
console.log(`listening on ${server.urls[0]}`);

const ada = new WebTransport(url, { tls: { ca: tls.cert } });
const bob = new WebTransport(url, { tls: { ca: tls.cert } });
await Promise.all([ada.ready, bob.ready]);

await say(await ada.createUnidirectionalStream(), "Hello, Bob!");
const streams = bob.incomingUnidirectionalStreams.getReader();
const { value: stream } = await streams.read();
console.log("Bob hears:", await new Response(stream).text());

// A datagram may be lost: the pointer is told again and again.
const writer = bob.datagrams.writable.getWriter();
const telling = setInterval(() => void writer.write(Uint8Array.of(3, 4)).catch(() => undefined), 20);
const { value: pointer } = await ada.datagrams.readable.getReader().read();
clearInterval(telling);
console.log("Bob's pointer is at", [...(pointer ?? [])]);

ada.close({ closeCode: 0, reason: "good night" });
bob.close();
await Promise.all([ada.closed, bob.closed]);
await server.close();
