// The engine under another language's runtime: Python's wasmtime, which is installed from PyPI for it.

import { startProgram } from "../runtime/program.ts";
import { embeddingChecks } from "../runtime/embedding_checks.ts";
import { problemOf, results, skipped } from "./suite.ts";
import type { Suite } from "./suite.ts";
import { pythonWith, WASMTIME_OF_PYPI } from "./tools.ts";

export const embeddingSuites: Suite[] = [
  {
    name: "embedding: Python's wasmtime",
    async run() {
      const python = pythonWith("wasmtime", [WASMTIME_OF_PYPI]);
      if (python === null) return skipped("no Python that can install PyPI's wasmtime");
      const program = startProgram(python, ["examples/embedding/server.py", "build/engine.wasm"], {
        PORT: "0",
      });
      try {
        const [, url] = await program.prints(/^listening on (http:\S+)\/$/m, 60_000);
        const checks: [string, string | null][] = [];
        for (const [name, check] of Object.entries(embeddingChecks)) {
          checks.push([name, await problemOf(() => check(url!))]);
        }
        return results(checks);
      } finally {
        await program.stop("SIGKILL");
      }
    },
  },
];
