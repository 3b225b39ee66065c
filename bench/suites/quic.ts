/*
 * QUIC: what its connections keep of memory.
 */
import type { Suite } from "../suite.ts";
import { idleConnection, manyConnections } from "./quic-memory.ts";

export const quic: Suite = {
  name: "quic",
  prepare: () => Promise.resolve(),
  measures: [idleConnection, manyConnections],
};
