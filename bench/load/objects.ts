/*
 * So many objects by this package's HttpClient over one connection, all asked for at once. Arguments: protocol ("h2" or "h3"), host,
 * port, objects, bytes of each.
 *
 * The clock runs from the first request, handshake and all, to the last byte of the last object. A client of its own has fetched one
 * object before, so that the program is warm and the connection is not. Prints {"ms"}, or {"error"}.
 */
import { HttpClient } from "httpy";
import type { HttpClientOptions } from "../../host/client/client_options.ts";

const [protocol = "", host = "", ...rest] = process.argv.slice(2);
const [port = 0, objectCount = 0, objectBytes = 0] = rest.map(Number);
const options = {
  protocols: [protocol as "h2" | "h3"],
  connectionsPerOrigin: 1,
  connectTimeoutMs: 30_000,
  retries: 0,
  tls: { rejectUnauthorized: false },
} satisfies HttpClientOptions;

async function fetchObjects(count: number): Promise<number> {
  const client = new HttpClient(options);
  const startedAt = performance.now();
  const fetchOne = async (): Promise<void> => {
    const response = await client.fetch(`https://${host}:${port}/bytes/${objectBytes}`);
    const { byteLength } = await response.arrayBuffer();
    if (response.status !== 200 || byteLength !== objectBytes)
      throw new Error(`answered ${response.status} and ${byteLength} bytes`);
  };
  await Promise.all(Array.from({ length: count }, fetchOne));
  const ms = performance.now() - startedAt;
  await client.close();
  return ms;
}

const result = await fetchObjects(1)
  .then(() => fetchObjects(objectCount))
  .then(
    (ms) => ({ ms }),
    (error: unknown) => ({ error: String(error) }),
  );
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
