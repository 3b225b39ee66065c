// The contract server as a process of its own, the way outside judges run it: on this Node, or on the runtime that the
// environment names, so that the same tests are the behaviour suite of every runtime.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode, startProgram } from "./program.ts";
import type { Program } from "./program.ts";

/** A runtime's command line as JSON, `["…/deno", "run", "-A"]`; the bundle of the contract server is appended. */
export const RUNTIME_VARIABLE = "HTTPY_RUNTIME";
/** Made by scripts/run.mjs; the conformance suite sees to it before it names a runtime. */
export const CONTRACT_BUNDLE = "build/contract.mjs";

/** A contract server that listens. */
export interface ContractServer {
  readonly program: Program;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly plain: string;
  readonly secure: string;
  /** The certificate that `secure` is served with, in PEM. */
  readonly cert: string;
  readonly certFolder: string;
  stop(): Promise<number | NodeJS.Signals>;
}

/** Starts the contract server without waiting for it: by `command` or what the environment names, or else on this Node. */
export function startContractProgram(
  env: Record<string, string>,
  command: readonly string[] | undefined = commandOfEnvironment(),
): Program {
  if (command === undefined) return startNode(["scripts/run.mjs", "examples/contract.ts"], env);
  const [path, ...args] = command as [string, ...string[]];
  return startProgram(path, [...args, CONTRACT_BUNDLE], env);
}

function commandOfEnvironment(): readonly string[] | undefined {
  const runtime = process.env[RUNTIME_VARIABLE];
  return runtime === undefined ? undefined : (JSON.parse(runtime) as string[]);
}

export async function startContract(command?: readonly string[]): Promise<ContractServer> {
  const certFolder = mkdtempSync(join(tmpdir(), "httpy-contract-"));
  const program = startContractProgram({ PORT: "0", TLS_PORT: "0", TLS_DIR: certFolder }, command);
  const ready = await program.prints(/^ready (http:\S+)\/ (https:\S+)\/\n/);
  return {
    program,
    plain: ready[1]!,
    secure: ready[2]!,
    cert: readFileSync(join(certFolder, "cert.pem"), "utf8"),
    certFolder,
    async stop() {
      const result = await program.stop();
      rmSync(certFolder, { recursive: true });
      return result;
    },
  };
}
