/*
 * Small GETs over HTTP/3 by this package's engine in the client's role, as fast as one core allows. Arguments: port, connections, streams
 * on each, seconds.
 *
 * Every stream asks again as soon as it is answered. An answer is counted when its status is 200 and its content is whole; anything else
 * ends the run with an error. The handshakes are over before the clock starts. Prints {"requestCount", "contentBytes", "seconds"}, or
 * {"error"}.
 */
import { ANY_ADDRESS, H3LoadClient } from "./h3-client.ts";

const [portText, connectionsText, streamsText, secondsText] = process.argv.slice(2);
const HELLO_LEN = 13;

async function load(): Promise<object> {
  const client = await H3LoadClient.start();
  const streams = Number(streamsText);
  const connections: number[] = [];
  for (let index = 0; index < Number(connectionsText); index++)
    connections.push(await client.connect(ANY_ADDRESS, Number(portText)));
  let requestCount = 0;
  let contentBytes = 0;
  let isOver = false;
  client.onAnswer = (connection, statusCode, bytes) => {
    if (statusCode !== 200 || bytes !== HELLO_LEN) throw new Error(`answered ${statusCode}, ${bytes} bytes`);
    requestCount++;
    contentBytes += bytes;
    if (!isOver) client.ask(connection);
  };
  const startedAt = performance.now();
  for (const connection of connections) for (let count = 0; count < streams; count++) client.ask(connection);
  client.flush();
  await Promise.race([
    client.failed,
    new Promise((resolve) => setTimeout(resolve, Number(secondsText) * 1000)),
  ]);
  isOver = true;
  return { requestCount, contentBytes, seconds: (performance.now() - startedAt) / 1000 };
}

const result = await load().catch((error: unknown) => ({ error: String(error) }));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
