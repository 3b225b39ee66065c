// A peer of QUIC on Deno, whose QUIC is quinn: files by HTTP/0.9 over streams. `client JSON` fetches and prints their hashes as JSON;
// `server JSON` prints its port and serves a folder until it is killed.
/* global Deno */

const [role, text] = Deno.args;
const options = JSON.parse(text);

async function readAll(readable) {
  const chunks = [];
  for await (const chunk of readable) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

async function hashOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function client() {
  const { host, port, ca, paths } = options;
  const connection = await Deno.connectQuic({
    hostname: host,
    port,
    serverName: "localhost",
    caCerts: [Deno.readTextFileSync(ca)],
    alpnProtocols: ["hq-interop"],
  });
  const hashes = await Promise.all(
    paths.map(async (path) => {
      const stream = await connection.createBidirectionalStream({ waitUntilAvailable: true });
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode(`GET ${path}\r\n`));
      await writer.close();
      return hashOf(await readAll(stream.readable));
    }),
  );
  console.log(JSON.stringify({ hashes }));
  connection.close({ closeCode: 0, reason: "" });
  Deno.exit(0);
}

async function answer(stream) {
  const request = new TextDecoder().decode(await readAll(stream.readable));
  const writer = stream.writable.getWriter();
  await writer.write(Deno.readFileSync(`${options.folder}/${request.trim().slice("GET /".length)}`));
  await writer.close();
}

async function server() {
  const endpoint = new Deno.QuicEndpoint({ hostname: options.host ?? "127.0.0.1", port: 0 });
  const listener = endpoint.listen({
    cert: Deno.readTextFileSync(options.certificate),
    key: Deno.readTextFileSync(options.key),
    alpnProtocols: ["hq-interop"],
  });
  console.log(endpoint.addr.port);
  for (;;) {
    const incoming = await listener.incoming();
    void (async () => {
      const connection = await incoming.accept();
      for await (const stream of connection.incomingBidirectionalStreams)
        answer(stream).catch(() => undefined);
    })().catch(() => undefined);
  }
}

await (role === "client" ? client() : server());
