import { expect, test } from "vitest";
import { runtime, runtimeOf } from "../../../host/transport/runtime.ts";

test("runtimes are told apart, though each says that it is Node too", () => {
  expect(runtimeOf(process.versions)).toBe("node");
  expect(runtime).toBe("node");
  expect(runtimeOf({ node: "24.0.0", deno: "2.9.6" })).toBe("deno");
  expect(runtimeOf({ node: "24.0.0", bun: "1.4.5" })).toBe("bun");
  expect(runtimeOf({})).toBe("node");
});
