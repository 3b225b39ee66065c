/*
 * Full handshakes of QUIC, as many as go, by one engine and one socket. Arguments: port, seconds, how many at a time.
 *
 * Each connection is new, has no ticket, and is closed once its handshake is complete on this side. The certificate's signature is
 * verified, its chain is not, as by `rejectUnauthorized: false` of `node:tls`. Prints {"count": …, "seconds": …}, or {"error": …}
 * when one fails.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeAddress } from "../../host/engine/datagram_batch.ts";
import { checked } from "../../host/engine/engine_error.ts";
import { QuicConfigFlag } from "../../host/engine/index.ts";
import { resolveLimits } from "../../host/engine/limits.ts";
import { Endpoint } from "../../host/quic/endpoint.ts";
import { makeConfig } from "../../host/quic/quic_config.ts";
import { QuicHost } from "../../host/quic/quic_host.ts";
import { bindDatagrams } from "../../host/transport/runtime_datagrams.ts";
import { distFolder } from "../paths.ts";

const MEMORY_BYTES = 256 * 2 ** 20;

const [port = 0, seconds = 1, concurrency = 1] = process.argv.slice(2).map(Number);
const host = new QuicHost({
  module: new WebAssembly.Module(readFileSync(join(distFolder, "engine.wasm"))),
  limits: resolveLimits({}),
  memoryBytes: MEMORY_BYTES,
});
const { quic } = host;
const config = makeConfig(quic, { alpn: ["bench"] }, QuicConfigFlag.ANY_CERTIFICATE);
const endpoint = new Endpoint(host, []);
host.add(endpoint, {});
endpoint.addSocket(await bindDatagrams({ host: "127.0.0.1" }, endpoint));
const address = encodeAddress("127.0.0.1", port);
const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
let count = 0;

async function shakeHands(): Promise<void> {
  const handle = quic.connect(endpoint.handle, config, { address, serverName: "localhost" }, host.now());
  const connection = host.adopt(endpoint, checked(handle, "connecting"), { host: "127.0.0.1", port });
  host.readEvents();
  endpoint.flushLater();
  await connection.ready;
  if (connection.isResumed) throw new Error("a session was resumed");
  count++;
  void connection.close();
}

async function shakeHandsOnAndOn(): Promise<void> {
  while (performance.now() < endsAt) await shakeHands();
}

const result = await Promise.all(Array.from({ length: concurrency }, shakeHandsOnAndOn)).then(
  () => ({ count, seconds: (performance.now() - startedAt) / 1000 }),
  (error: unknown) => ({ error: String(error) }),
);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
