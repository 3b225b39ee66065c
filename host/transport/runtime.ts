// Which runtime this is, for the few places where their common ground, `node:*`, is none.

/** The runtimes that are told apart; whatever else has `node:net` counts as Node. */
export type RuntimeName = "node" | "deno" | "bun";

export const runtime: RuntimeName = runtimeOf(typeof process === "object" ? process.versions : {});

/** By the versions that a runtime says it is made of: Deno and Bun name a Node among them too. */
export function runtimeOf(versions: Readonly<Record<string, string | undefined>>): RuntimeName {
  if (versions["bun"] !== undefined) return "bun";
  return versions["deno"] !== undefined ? "deno" : "node";
}
