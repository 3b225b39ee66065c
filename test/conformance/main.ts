// `npm run conformance [-- PART-OF-NAME]`: outside suites against the contract server. Installs or names what it needs.
// The last line is `conformance: N passed, N failed`.

import { startContract } from "../runtime/contract_process.ts";
import { embeddingSuites } from "./embedding.ts";
import { h2specSuites } from "./h2spec.ts";
import { loadSuites } from "./load.ts";
import { slowClientSuites } from "./slow_clients.ts";
import type { Suite } from "./suite.ts";
import { wasiSuites } from "./wasi.ts";

const wanted = process.argv[2] ?? "";
const suites: Suite[] = [
  ...h2specSuites,
  ...loadSuites,
  ...slowClientSuites,
  ...wasiSuites,
  ...embeddingSuites,
].filter(({ name }) => name.includes(wanted));

let passed = 0;
let failed = 0;
for (const suite of suites) {
  // A server of its own for each, so that none pays for what another left behind.
  const server = await startContract();
  try {
    const result = await suite.run(server);
    passed += result.passed;
    failed += result.failures.length;
    if (result.skipped !== null) console.log(`${suite.name}: skipped; ${result.skipped}`);
    else console.log(`${suite.name}: ${result.passed} passed, ${result.failures.length} failed`);
    for (const failure of result.failures) console.log(`  ${failure}`);
  } finally {
    await server.stop();
  }
}
console.log(`conformance: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
