// docs/api.md is what the source says: it is made from the docstrings of everything that the package exports, and every export has one.
// After a change that is meant: `npx vitest run test/architecture --update`.

import { join } from "node:path";
import { expect, test } from "vitest";
import { exportsOf, referenceText } from "./api_reference.ts";
import type { Entry } from "./api_reference.ts";
import { root } from "./sources.ts";

const entries: readonly Entry[] = [
  {
    specifier: "httpy",
    file: "host/index.ts",
    about: "The server, the router and the clients. `httpy/inline` exports the same.",
  },
  { specifier: "httpy/engine", file: "host/engine/index.ts", about: "The bare engine, for other hosts." },
];

test("docs/api.md is made from the docstrings", async () => {
  await expect(referenceText(entries)).toMatchFileSnapshot(join(root, "docs/api.md"));
});

test("every export has a docstring", () => {
  const bare = entries.flatMap(({ specifier, file }) =>
    exportsOf(file)
      .filter(({ doc }) => doc === "")
      .map(({ name }) => `${specifier}: ${name}`),
  );
  expect(bare).toEqual([]);
});
