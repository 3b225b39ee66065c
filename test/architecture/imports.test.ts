// Holds the direction of the arrows: which room (a folder of assembly/ or host/) may import which.
//
// The tables below are the rule; ARCHITECTURE.md says why. A room imports itself freely, what its row names, and
// nothing else: no sibling sideways, nothing above it. A new room is a new row, which is where its place is decided.
// Type-only imports are arrows too. Packages and `node:` modules are not looked at here.

import { describe, expect, test } from "vitest";
import type { Arrow } from "./sources.ts";
import { arrowsIn, arrowsOf, roomOf, sourcesBelow } from "./sources.ts";

type Rules = Readonly<Record<string, readonly string[]>>;

const ground = ["assembly/core", "assembly/abi", "assembly/crypto", "assembly/http"];
const shared = [...ground, "assembly/session"];
const protocols = ["h1", "hpack", "h2", "ws", "x509", "tls", "quic", "qpack", "h3"].map(
  (name) => `assembly/${name}`,
);

const engineRules: Rules = {
  "assembly/core": [],
  "assembly/abi": ["assembly/core"],
  "assembly/crypto": ["assembly/core", "assembly/abi"],
  "assembly/http": ["assembly/core", "assembly/abi"],
  // The tables of connections and exchanges and the event writers, below every protocol.
  "assembly/session": ground,
  "assembly/h1": shared,
  "assembly/hpack": shared,
  "assembly/h2": [...shared, "assembly/hpack"],
  "assembly/ws": shared,
  // Certificates: their DER, and whether a chain of them can be trusted.
  "assembly/x509": ground,
  "assembly/tls": [...shared, "assembly/x509"],
  "assembly/quic": [...shared, "assembly/tls"],
  "assembly/qpack": shared,
  "assembly/h3": [...shared, "assembly/qpack", "assembly/quic"],
  // Sends what a door received to the protocol that speaks on the connection.
  "assembly/engine": [...shared, ...protocols],
  "assembly/exports": [...shared, ...protocols, "assembly/engine"],
  // A host that lies in the same module: it calls the doors, as every host does.
  "assembly/wasi": [...shared, "assembly/exports"],
};

const hostRules: Rules = {
  // Layout, events, statuses and limits are numbers that both compilers read from the same files.
  "host/engine": ["assembly/abi"],
  "host/transport": [],
  "host/router": [],
  // Keys and signatures, as bytes in and out: knows neither engine nor sockets.
  "host/crypto": [],
  // Endpoints of QUIC on sockets, and connections without HTTP; the numbers of the rooms' own statuses, to say them in words.
  "host/quic": [
    "host/engine",
    "host/transport",
    "host/crypto",
    "assembly/abi",
    "assembly/tls",
    "assembly/x509",
  ],
  // Sessions in either role, on whatever connection: streams as those of raw QUIC, types as handlers see them.
  "host/web_transport": ["host/engine", "host/quic", "host/router"],
  "host/server": [
    "host/engine",
    "host/transport",
    "host/router",
    "host/crypto",
    "host/quic",
    "host/web_transport",
  ],
  // The client's role; messages, compression and closing are the same as the server's.
  "host/client": [
    "host/engine",
    "host/transport",
    "host/router",
    "host/server",
    "host/quic",
    "host/web_transport",
  ],
  "host/index.ts": [
    "host/client",
    "host/engine",
    "host/transport",
    "host/router",
    "host/server",
    "host/quic",
    "host/web_transport",
  ],
  "host/browser.ts": ["host/engine", "host/transport", "host/router", "host/server"],
  "host/cli": ["host/server", "host/index.ts"],
};

function forbiddenArrows(arrows: Arrow[], rules: Rules): string[] {
  return arrows
    .filter(({ from, to }) => {
      const room = roomOf(from);
      return roomOf(to) !== room && !rules[room]?.includes(roomOf(to));
    })
    .map(({ from, to }) => `${from} → ${to}`);
}

describe.each([
  { folder: "assembly", rules: engineRules },
  { folder: "host", rules: hostRules },
])("the rooms of $folder/", ({ folder, rules }) => {
  const files = sourcesBelow(folder);

  test("are all in the table", () => {
    const unknown = [...new Set(files.map(roomOf))].filter((room) => rules[room] === undefined);
    expect(unknown).toEqual([]);
  });

  test("import only what the table allows", () => {
    expect(forbiddenArrows(files.flatMap(arrowsOf), rules)).toEqual([]);
  });
});

describe("the rules", () => {
  test("have no cycle", () => {
    const rules: Rules = { ...engineRules, ...hostRules };
    const reaches = (from: string, target: string): boolean =>
      (rules[from] ?? []).some((room) => room === target || reaches(room, target));
    expect(Object.keys(rules).filter((room) => reaches(room, room))).toEqual([]);
  });

  test("find a forbidden arrow in every form of import", () => {
    const text = [
      'import { a } from "../quic/frame";',
      'import type { B } from "../h3/stream.ts";',
      'export * from "../tls/alert";',
      'const lazy = await import("../ws/frame.ts");',
      'import "../wasi/start";',
      '// import { no } from "../h2/comment";',
    ].join("\n");
    const arrows = arrowsIn("assembly/h1/request.ts", text);
    expect(forbiddenArrows(arrows, engineRules)).toEqual([
      "assembly/h1/request.ts → assembly/quic/frame",
      "assembly/h1/request.ts → assembly/h3/stream.ts",
      "assembly/h1/request.ts → assembly/tls/alert",
      "assembly/h1/request.ts → assembly/ws/frame.ts",
      "assembly/h1/request.ts → assembly/wasi/start",
    ]);
  });
});
