// The bare engine driven by plain JavaScript, as docs/abi.md describes it. The same from Python: `npm run conformance -- embedding`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { embeddingChecks } from "./embedding_checks.ts";
import { root, startNode } from "./program.ts";

const example = "examples/embedding/server.mjs";

test("a server on the bare engine answers over HTTP/1.1 and HTTP/2", async () => {
  const program = startNode([example, "build/engine.wasm"], { PORT: "0" });
  onTestFinished(async () => {
    await program.stop();
  });
  const [, url] = await program.prints(/^listening on (http:\S+)\/$/m);
  for (const check of Object.values(embeddingChecks)) await check(url!);
});

test("the example stays below 80 lines", () => {
  expect(readFileSync(join(root, example), "utf8").trimEnd().split("\n").length).toBeLessThan(80);
});
