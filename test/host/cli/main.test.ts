// The built command as a process: what it serves, what it prints, how it ends.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Agent, fetch as fetchVia } from "undici";
import { developmentCertificate, writeCertificate } from "../../../host/index.ts";
import { root, startNode } from "../../runtime/program.ts";
import type { Program } from "../../runtime/program.ts";

const isWindows = process.platform === "win32";
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "httpy-cli-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts the command; its cache lies in this test's folder. */
const httpy = (...words: string[]) =>
  startNode(["dist/cli.js", ...words], { XDG_CACHE_HOME: folder, HOME: folder });

const moduleWith = (name: string, source: string) => {
  const file = join(folder, name);
  // An absolute URL, because the folder is outside of the package.
  writeFileSync(
    file,
    source.replace('"httpy"', JSON.stringify(new URL(`file://${root}/dist/index.js`).href)),
  );
  return file;
};

const urlOf = async (program: Program, scheme = "http") =>
  (await program.prints(new RegExp(`^serving (${scheme}://\\S+)/ `, "m")))[1]!;

describe("httpy", () => {
  test("--version is the package's", async () => {
    const program = httpy("--version");
    expect(await program.ended()).toBe(0);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    expect(program.stdout()).toBe(`${version}\n`);
  });

  test("--help explains on standard output", async () => {
    const program = httpy("--help");
    expect(await program.ended()).toBe(0);
    expect(program.stdout()).toContain("httpy serve MODULE");
  });

  test.each<[words: string[], code: number, message: string]>([
    [["serve"], 2, "httpy: serve needs a module"],
    [["serve", "nowhere.js"], 2, "nowhere.js does not exist"],
    [["serve", "vitest.config.ts", "--tls-port", "0"], 2, "--tls-port (or TLS_PORT) needs --tls-key"],
    [
      ["demo", "--tls-key", "none.pem", "--tls-cert", "none.pem"],
      2,
      '--tls-key is "none.pem", which cannot be read',
    ],
    [
      ["demo", "--port", "70000"],
      1,
      "listen option port is 70000; it must be a whole number from 0 to 65535",
    ],
    [["demo", "--port", "0", "--limit", "sizeOfHead=1"], 1, "limits.sizeOfHead is not a limit; there are"],
  ])("%j ends with %i and says why", async (words, code, message) => {
    const program = httpy(...words);
    expect(await program.ended()).toBe(code);
    expect(program.stderr()).toContain(message);
    expect(program.stderr()).not.toContain("    at ");
    expect(program.stdout()).toBe("");
  });
});

describe("httpy serve", () => {
  test("serves an App, and ends with 0 on SIGTERM", async () => {
    const file = moduleWith(
      "app.mjs",
      'import { App } from "httpy"; export default new App().get("/", () => "app");',
    );
    const program = httpy("serve", file, "--port", "0");
    expect(await (await fetch(`${await urlOf(program)}/`)).text()).toBe("app");
    const code = await program.stop();
    if (isWindows) return;
    expect(code).toBe(0);
    expect(program.stderr()).toContain("SIGTERM: closing within 10000 ms");
    expect(program.stderr()).toContain("closed; everything was finished");
  });

  test("serves anything with fetch", async () => {
    const file = moduleWith(
      "fetch.mjs",
      "export default { fetch: (req) => new Response(new URL(req.url).pathname) };",
    );
    const program = httpy("serve", file, "--port", "0");
    expect(await (await fetch(`${await urlOf(program)}/a/b`)).text()).toBe("/a/b");
    await program.stop();
  });

  test("serves TLS with a given certificate, plain connections beside it", async () => {
    const certificate = await developmentCertificate();
    await writeCertificate(folder, certificate);
    const file = moduleWith("tls.mjs", 'export default { fetch: () => new Response("tls") };');
    const tls = ["--tls-key", join(folder, "key.pem"), "--tls-cert", join(folder, "cert.pem")];
    const program = httpy("serve", file, "--port", "0", "--tls-port", "0", ...tls);
    const dispatcher = new Agent({ connect: { ca: certificate.cert } });
    const secure = await fetchVia(`${await urlOf(program, "https")}/`, { dispatcher });
    expect(await secure.text()).toBe("tls");
    expect((await fetch(`${await urlOf(program)}/`)).status).toBe(200);
    await dispatcher.close();
    await program.stop();
  });

  test("sets limits", async () => {
    const file = moduleWith("limit.mjs", 'export default { fetch: () => new Response("small") };');
    const program = httpy("serve", file, "--port", "0", "--limit", "targetBytes=64");
    const url = await urlOf(program);
    expect((await fetch(`${url}/${"a".repeat(62)}`)).status).toBe(200);
    expect((await fetch(`${url}/${"a".repeat(64)}`)).status).toBe(414);
    await program.stop();
  });

  test("records, and replay prints what the engine told", async () => {
    const file = moduleWith("recorded.mjs", 'export default { fetch: () => new Response("recorded") };');
    const recording = join(folder, "recording");
    const program = httpy("serve", file, "--port", "0", "--record", recording);
    await (await fetch(`${await urlOf(program)}/what?ever`)).text();
    await program.stop();
    const replayed = httpy("replay", recording, "--connection", "1");
    expect([await replayed.ended(), replayed.stderr()]).toEqual([0, ""]);
    expect(replayed.stdout()).toMatch(/^\* exchange 1 GET \/what\?ever http\/1\.1$/m);
    expect(replayed.stdout()).toMatch(/^# \d+ calls, 0 answered differently$/m);
    const missing = httpy("replay", recording, "--connection", "9");
    expect(await missing.ended()).toBe(2);
    writeFileSync(recording, readFileSync(recording, "utf8").slice(0, -20));
    const damaged = httpy("replay", recording);
    expect(await damaged.ended()).toBe(2);
    expect(damaged.stderr()).toContain(`${recording}: line 2 of the recording is damaged: it is not JSON`);
  });

  test.skipIf(isWindows)("serves a Unix socket", async () => {
    const file = moduleWith("unix.mjs", 'export default { fetch: () => new Response("unix") };');
    const socketPath = join(folder, "s");
    const program = httpy("serve", file, "--path", socketPath);
    await program.prints(/^serving .*\/s \(.*http\/1\.1\)$/m);
    const status = await new Promise((resolve, reject) => {
      http.get({ socketPath, path: "/" }, ({ statusCode }) => resolve(statusCode)).on("error", reject);
    });
    expect(status).toBe(200);
    await program.stop();
  });

  test.skipIf(isWindows)("tells what the deadline cut", async () => {
    const file = moduleWith("never.mjs", "export default { fetch: () => new Promise(() => {}) };");
    const program = httpy("serve", file, "--port", "0", "--deadline-ms", "100");
    const asked = fetch(`${await urlOf(program)}/`).catch(() => "cut");
    await new Promise((wake) => setTimeout(wake, 100));
    expect(await program.stop()).toBe(0);
    expect(await asked).toBe("cut");
    expect(program.stderr()).toContain("closed; the deadline cut 1 connections with 1 exchanges");
  });

  test("refuses a module that exports nothing to serve, and shows where one failed", async () => {
    const empty = httpy("serve", moduleWith("empty.mjs", "export default 7;"));
    expect(await empty.ended()).toBe(2);
    expect(empty.stderr()).toContain("must be an App or have a function fetch; it is of type number");
    const broken = httpy("serve", moduleWith("broken.mjs", 'throw new Error("out of order");'));
    expect(await broken.ended()).toBe(1);
    expect(broken.stderr()).toMatch(/broken\.mjs failed: Error: out of order\n {4}at /);
  });
});
