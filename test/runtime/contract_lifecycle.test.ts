// The contract server as a process: what it prints, how it ends, and what it says of a wrong environment.

import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw } from "./raw_client.ts";
import { startContract, startContractProgram } from "./contract_process.ts";
import { startProgram } from "./program.ts";

const isWindows = process.platform === "win32";
const JSON_REQUEST = "GET /json HTTP/1.1\r\nhost: a\r\n\r\n";

test("one line is printed, and the key is for its owner alone", async () => {
  const server = await startContract();
  await fetch(server.plain);
  if (!isWindows) expect(statSync(join(server.certFolder, "key.pem")).mode & 0o777).toBe(0o600);
  await server.stop();
  expect(server.program.stdout()).toBe(`ready ${server.plain}/ ${server.secure}/\n`);
  expect(server.program.stderr()).toBe("");
});

describe.skipIf(isWindows).each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test("lets an open exchange finish, closes idle connections and ends with 0", async () => {
    const server = await startContract();
    const [busy, idle] = [await connectRaw(server, false), await connectRaw(server, true)];
    onTestFinished(() => [busy, idle].forEach((client) => client.close()));
    idle.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await idle.until(/Hello, World!$/);
    // Sent in one piece, so that the first answer says that the second request has arrived.
    busy.send(`${JSON_REQUEST}GET /slow/300 HTTP/1.1\r\nhost: a\r\n\r\n`);
    const before = await busy.until(/World!"}$/);
    server.program.child.kill(signal);
    await idle.untilEnd();
    expect(busy.received()).toBe(before);
    expect(await busy.untilEnd()).toMatch(/connection: close\r\n[^]*300 ms later$/);
    expect(await server.program.ended()).toBe(0);
  });

  test("a second time ends at once", async () => {
    const server = await startContract();
    const client = await connectRaw(server, false);
    onTestFinished(() => client.close());
    client.send(`${JSON_REQUEST}GET /slow/60000 HTTP/1.1\r\nhost: a\r\n\r\n`);
    await client.until(/World!"}$/);
    server.program.child.kill(signal);
    await new Promise((wake) => setTimeout(wake, 100));
    expect(server.program.child.exitCode).toBeNull();
    expect(await server.program.stop(signal)).toBe(signal === "SIGTERM" ? 143 : 130);
  });
});

test.skipIf(isWindows)(
  "npm passes the end on: nothing is left when npm is told to end",
  async () => {
    const npm = startProgram("npm", ["run", "--silent", "contract"], { PORT: "0", TLS_PORT: "0" });
    const [, url] = await npm.prints(/^ready (\S+)/, 60_000);
    await npm.stop();
    await expect.poll(() => fetch(url!).catch(() => "gone"), { timeout: 5000 }).toBe("gone");
  },
  90_000,
);

test.each([
  [{ PORT: "http" }, 'PORT is "http"; it must be a port from 0 (any free one) to 65535'],
  [{ TLS_PORT: "70000" }, 'TLS_PORT is "70000"; it must be a port'],
])("a wrong environment %j is an error that says what is allowed", async (env, message) => {
  const program = startContractProgram(env);
  expect(await program.ended()).toBe(1);
  expect(program.stdout()).toBe("");
  expect(program.stderr()).toContain(message);
});
