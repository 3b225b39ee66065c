// The command of WASI preview 1 under node:wasi: one process per connection, as examples/wasi/inetd.mjs starts them. Other hosts,
// and the component, are asked the same by `npm run conformance -- wasi`.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Program } from "./program.ts";
import { startNode } from "./program.ts";
import { wasiChecks } from "./wasi_checks.ts";

let server: Program;
let url: string;

beforeAll(async () => {
  const build = startNode(["scripts/wasi.mjs", "stdio"]);
  expect(await build.ended(), build.stderr()).toBe(0);
  const command = [process.execPath, "--no-warnings", "examples/wasi/run.mjs", "build/wasi/stdio.wasm"];
  server = startNode(["examples/wasi/inetd.mjs", "0", ...command]);
  url = (await server.prints(/^listening on (http:\S+)\/$/m))[1]!;
}, 60_000);

afterAll(async () => {
  await server.stop();
});

describe("a command of preview 1 under node:wasi answers", () => {
  test.each(Object.entries(wasiChecks))("%s", async (_name, check) => {
    await check(url);
  });
});
