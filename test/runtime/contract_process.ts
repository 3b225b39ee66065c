// The contract server as a process of its own, the way outside judges run it.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode } from "./program.ts";
import type { Program } from "./program.ts";

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

export async function startContract(): Promise<ContractServer> {
  const certFolder = mkdtempSync(join(tmpdir(), "httpy-contract-"));
  const program = startNode(["scripts/run.mjs", "examples/contract.ts"], {
    PORT: "0",
    TLS_PORT: "0",
    TLS_DIR: certFolder,
  });
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
