// Holds the border of the release module: it imports nothing, exports exactly the doors in exports.txt (name and
// number of arguments), and stays as small as promised. An export is a promise to every embedder, so the list is a
// file of its own, and a change of it shows in review. After a change that is meant:
//
//   npm run build && npx vitest run test/architecture --update

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, roomsReachedFrom } from "./sources.ts";

const modulePath = join(root, "build/engine.wasm");

/** The size that is allowed with exactly these protocol rooms built in. */
const sizeLimits: readonly { rooms: readonly string[]; maxBytes: number }[] = [
  { rooms: ["h1", "h2", "hpack", "quic", "tls", "ws"], maxBytes: 320 * 1024 },
  { rooms: ["h1", "h2", "h3", "hpack", "qpack", "quic", "tls", "ws"], maxBytes: 320 * 1024 },
  { rooms: ["h1"], maxBytes: 64 * 1024 },
  { rooms: ["h1", "ws"], maxBytes: 64 * 1024 },
  { rooms: ["h1", "h2", "hpack"], maxBytes: 128 * 1024 },
  { rooms: ["h1", "h2", "hpack", "ws"], maxBytes: 160 * 1024 },
];
const protocolRooms = ["h1", "h2", "h3", "hpack", "qpack", "quic", "tls", "ws"];

function exportLines(module: WebAssembly.Module): string {
  const { exports } = new WebAssembly.Instance(module);
  const lines = WebAssembly.Module.exports(module).map(({ name, kind }) => {
    const value = exports[name];
    return typeof value === "function" ? `${kind} ${name}/${value.length}` : `${kind} ${name}`;
  });
  return `${lines.sort().join("\n")}\n`;
}

describe("the release module", () => {
  const bytes = readFileSync(modulePath);
  const module = new WebAssembly.Module(bytes);

  test("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test("exports the doors in exports.txt and nothing else", async () => {
    await expect(exportLines(module)).toMatchFileSnapshot("./exports.txt");
  });

  test("leaves its memory for the host to grow", () => {
    const { memory } = new WebAssembly.Instance(module).exports;
    expect(memory).toBeInstanceOf(WebAssembly.Memory);
    const pageCount = (256 * 1024 * 1024 - (memory as WebAssembly.Memory).buffer.byteLength) / 65536;
    expect(() => (memory as WebAssembly.Memory).grow(pageCount)).not.toThrow();
  });

  test("is no larger than its protocols allow", () => {
    const reached = roomsReachedFrom("assembly/exports/index.ts");
    const built = protocolRooms.filter((room) => reached.has(`assembly/${room}`));
    const limit = sizeLimits.find(({ rooms }) => rooms.join() === built.join());
    expect(limit, `no size limit for the rooms ${built.join(", ")}: add one`).toBeDefined();
    expect(bytes.length).toBeLessThanOrEqual(limit!.maxBytes);
  });
});
