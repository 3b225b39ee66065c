// Every example is started, asked and stopped: what is shown to newcomers works.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectQuic } from "../../host/quic/index.ts";
import { developmentCertificate } from "../../host/server/development_certificate.ts";
import { root, startNode } from "./program.ts";
import type { Program } from "./program.ts";

interface Running {
  readonly url: string;
  readonly program: Program;
}

/** Starts a program on a free port; it is stopped when the test has finished, and must have ended well. */
async function start(file: string): Promise<Running> {
  const program = startNode(["scripts/run.mjs", file], { PORT: "0" });
  const [, url] = await program.prints(/^listening on (http:\S+)\/$/m);
  onTestFinished(async () => {
    const code = await program.stop();
    if (process.platform !== "win32") expect(code).toBe(0);
  });
  return { url: url!, program };
}

const post = (body: string, contentType = "text/plain") => ({
  method: "POST",
  body,
  headers: { "content-type": contentType },
});

const tests: Record<string, (running: Running) => Promise<void>> = {
  async hello({ url }) {
    expect(await (await fetch(`${url}/`)).text()).toBe("Hello, World!");
    expect(await (await fetch(`${url}/hello/Ada`)).text()).toBe("Hello, Ada!");
    const sum = await fetch(`${url}/sum`, post("[1, 2, 39]", "application/json"));
    expect(await sum.json()).toEqual({ sum: 42 });
    const broken = await fetch(`${url}/sum`, post("[1, 2", "application/json"));
    expect(broken.status).toBe(400);
    expect(await broken.json()).toHaveProperty("error");
  },

  async middleware({ url }) {
    const first = await fetch(`${url}/`, { headers: { "x-request-id": "7" } });
    expect([first.headers.get("x-request-id"), await first.text()]).toEqual(["7", "request 7"]);
    const refused = await fetch(`${url}/admin`);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(refused.headers.get("x-request-id")).not.toBeNull();
    const headers = { authorization: "Bearer secret" };
    const welcome = await fetch(`${url}/admin`, { headers });
    expect(await welcome.text()).toBe("welcome");
    expect(welcome.headers.get("server-timing")).toMatch(/^handler;dur=\d/);
    const long = await fetch(`${url}/admin/notes`, { method: "POST", body: "a".repeat(1025), headers });
    expect(long.status).toBe(413);
  },

  async decorators({ url }) {
    const made = await fetch(`${url}/notes`, post("buy milk"));
    expect([made.status, made.headers.get("location")]).toEqual([201, "/notes/1"]);
    expect(await (await fetch(`${url}/notes/1`)).json()).toEqual({ id: 1, text: "buy milk" });
    expect((await fetch(`${url}/notes/1`, { method: "DELETE" })).status).toBe(204);
    expect((await fetch(`${url}/notes/1`)).status).toBe(404);
    expect(await (await fetch(`${url}/notes`)).json()).toEqual([]);
  },

  async streaming({ url }) {
    expect(await (await fetch(`${url}/upper`, post("grüße"))).text()).toBe("GRÜSSE");
    const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
    expect(await (await fetch(`${url}/sha256`, post("abc"))).text()).toBe(sha256("abc"));
    const trailer = await new Promise((resolve, reject) => {
      http
        .get(`${url}/countdown/3`, (answer) =>
          answer.resume().on("end", () => resolve(answer.trailers["x-sha256"])),
        )
        .on("error", reject);
    });
    expect(trailer).toBe(sha256("3\n2\n1\n"));
    const reader = (await fetch(`${url}/time`)).body!.getReader();
    const { value } = (await reader.read()) as { value: Uint8Array };
    expect(new TextDecoder().decode(value)).toMatch(/^event: time\ndata: {"now":".*"}\n\n$/);
    await reader.cancel();
  },

  async hono({ url }) {
    expect(await (await fetch(`${url}/`)).text()).toBe("Hello from HTTPy");
    expect(await (await fetch(`${url}/hono`)).text()).toBe("Hello from Hono");
    expect(await (await fetch(`${url}/hono/users/7`)).json()).toEqual({ id: "7" });
    expect(await (await fetch(`${url}/hono/echo`, post("as it is"))).text()).toBe("as it is");
  },

  async cluster({ url, program }) {
    // A connection each: the primary hands them to its workers in turn.
    const ask = async (path: string) =>
      (await fetch(`${url}${path}`, { headers: { connection: "close" } })).text();
    const answers = new Set<string>();
    await expect.poll(async () => answers.add(await ask("/")).size).toBeGreaterThan(1);
    expect([...answers][0]).toMatch(/^Hello from process \d+\n$/);
    const slow = ask("/slow");
    await new Promise((wake) => setTimeout(wake, 100));
    program.child.kill("SIGTERM");
    expect(await slow).toBe("finished\n");
  },

  async logging({ url, program }) {
    await fetch(`${url}/`, { headers: { "user-agent": "test" } });
    await fetch(`${url}/health`);
    expect((await fetch(`${url}/broken`)).status).toBe(500);
    await expect.poll(() => program.stderr().trim().split("\n").length).toBe(3);
    const lines = program
      .stderr()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { level: 30, path: "/", status: 200, userAgent: "test" },
      { level: 50, msg: "unhandled error", err: { message: "out of order" } },
      { level: 50, path: "/broken", status: 500 },
    ]);
  },
};

describe("the example", () => {
  test.each(Object.entries(tests))("%s does what it shows", async (name, ask) => {
    await ask(await start(`examples/${name}.ts`));
  });

  test("hq_interop serves files by HTTP/0.9 over QUIC", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hq-"));
    const { cert, key } = await developmentCertificate();
    for (const [name, text] of Object.entries({ "cert.pem": cert, "key.pem": key, file: "of this folder" }))
      writeFileSync(join(folder, name), text);
    const args = ["--cert", join(folder, "cert.pem"), "--key", join(folder, "key.pem"), "--port", "0"];
    const program = startNode(["scripts/run.mjs", "examples/hq_interop.ts", folder, ...args]);
    const [, port] = await program.prints(/^listening on (\d+)$/m);
    const client = await connectQuic({
      alpn: ["hq-interop"],
      host: "127.0.0.1",
      port: Number(port),
      rejectUnauthorized: false,
    });
    const get = async (request: string): Promise<string> => {
      const stream = await client.connection.openStream();
      const writer = stream.writable.getWriter();
      await writer.write(Buffer.from(request));
      await writer.close();
      return new Response(stream.readable).text();
    };
    expect(await get("GET /file\r\n")).toBe("of this folder");
    await expect(get("GET /../../../../etc/hostname\r\n")).rejects.toThrow();
    await client.close();
    expect(await program.stop()).toBe(0);
    rmSync(folder, { recursive: true });
  });

  test("web_transport has two clients hear each other", async () => {
    const program = startNode(["scripts/run.mjs", "examples/web_transport.ts"], { PORT: "0" });
    expect([await program.ended(), program.stderr()]).toEqual([0, ""]);
    expect(program.stdout()).toMatch(
      /^listening on https:\S+\nBob hears: Hello, Bob!\nBob's pointer is at \[ 3, 4 \]\n$/u,
    );
  });

  test("is one of those asked here, or the contract server", () => {
    const files = readdirSync(join(root, "examples"))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => file.replace(/\.ts$/, ""));
    expect(files.sort()).toEqual([...Object.keys(tests), "hq_interop", "contract", "web_transport"].sort());
  });
});

test("the example in README.md runs as it is printed, but for its port", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const source = /```ts\n([^]*?)```/.exec(readme)![1]!;
  expect(source).toContain("port: 3000");
  mkdirSync(join(root, "build"), { recursive: true });
  writeFileSync(join(root, "build/readme.ts"), source.replace("port: 3000", "port: 0"));
  const { url } = await start("build/readme.ts");
  const user = await fetch(`${url}/users/7`);
  expect([user.headers.get("x-served-by"), await user.json()]).toEqual(["httpy", { id: "7" }]);
  const made = await fetch(`${url}/users`, post('{"name":"Ada"}', "application/json"));
  expect([made.status, await made.json()]).toEqual([201, { name: "Ada" }]);
  const refused = await fetch(`${url}/users`, post("{", "application/json"));
  expect([refused.status, await refused.json()]).toEqual([400, { error: expect.any(String) as unknown }]);
});
