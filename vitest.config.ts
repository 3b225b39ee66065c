// How the tests outside of WebAssembly run: node, one process per file, TypeScript through esbuild.
//
// esbuild and not vite's own transformer, because the latter passes standard decorators (`@get("/")`) through
// to a Node that cannot parse them. The engine is built by `npm test` before; a test never builds it.

import { availableParallelism } from "node:os";
import { transform } from "esbuild";
import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: false,
  plugins: [
    {
      name: "typescript-by-esbuild",
      enforce: "pre",
      async transform(code, id) {
        const path = id.split("?", 1)[0] ?? id;
        if (!path.endsWith(".ts")) return null;
        const result = await transform(code, {
          loader: "ts",
          format: "esm",
          target: "node20",
          sourcefile: path,
          sourcemap: true,
          tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
        });
        return { code: result.code, map: result.map };
      },
    },
  ],
  test: {
    include: ["test/{host,wire,sim,architecture,runtime}/**/*.test.ts"],
    pool: "forks",
    // One more than vitest's own choice on small machines: most files wait for sockets and timers as often as they compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ["dot", ["json", { outputFile: process.env["HTTPY_VITEST_REPORT"] ?? "build/vitest.json" }]],
    testTimeout: 15_000,
    hookTimeout: 15_000,
  },
});
