// `npm run conformance [-- PART-OF-NAME] [--runtime NAME] [--brief]`: outside suites against the contract server. Installs or names what it needs.
// `--brief` leaves out what takes longer than continuous integration has, or waits for the pace of a browser or of Python. The last line is `conformance: N passed, N failed`.

import { parseArgs } from "node:util";
import { startContract } from "../runtime/contract_process.ts";
import { autobahnSuites } from "./autobahn.ts";
import { behaviourSuites } from "./behaviour.ts";
import { browserSuites } from "./browser.ts";
import { determinismSuites } from "./determinism.ts";
import { embeddingSuites } from "./embedding.ts";
import { h2BrowserSuites } from "./h2_browser.ts";
import { h2ClientSuites } from "./h2_clients.ts";
import { h2specSuites } from "./h2spec.ts";
import { h3AioquicSuites } from "./h3_aioquic.ts";
import { h3BrowserSuites } from "./h3_browser.ts";
import { webTransportAioquicSuites } from "./web_transport_aioquic.ts";
import { webTransportSuites } from "./web_transport_browser.ts";
import { h3ClientSuites } from "./h3_clients.ts";
import { h3TrailersSuites } from "./h3_trailers.ts";
import { imageSuites } from "./image.ts";
import { loadSuites } from "./load.ts";
import { packageSuites } from "./package.ts";
import { qpackSuites } from "./qpack.ts";
import { quicDenoSuites } from "./quic_deno.ts";
import { quicGtlsserverSuite } from "./quic_gtlsserver.ts";
import { quicInteropSuites } from "./quic_interop.ts";
import { runtimeNames } from "./runtimes.ts";
import { slowClientSuites } from "./slow_clients.ts";
import type { Suite } from "./suite.ts";
import { wasiSuites } from "./wasi.ts";
import { webSocketSuites } from "./web_sockets.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runtime: { type: "string" }, brief: { type: "boolean", default: false } },
});
const [wanted = ""] = positionals;
const { runtime } = values;
const allowedRuntimes = [...runtimeNames, "chromium", "image"];
if (runtime !== undefined && !allowedRuntimes.includes(runtime)) {
  console.error(`--runtime is "${runtime}"; allowed: ${allowedRuntimes.join(", ")}`);
  process.exit(2);
}
const briefSuites: Suite[] = [
  ...h2specSuites,
  ...h2ClientSuites,
  ...h3ClientSuites.filter((suite) => suite.runtime === undefined),
  ...loadSuites,
  ...slowClientSuites,
  ...wasiSuites,
  ...embeddingSuites,
  ...packageSuites,
  ...behaviourSuites,
  ...determinismSuites,
];
const allSuites: Suite[] = [
  ...h2specSuites,
  ...h2ClientSuites,
  ...h2BrowserSuites,
  ...h3ClientSuites,
  ...h3AioquicSuites,
  ...h3BrowserSuites,
  ...h3TrailersSuites,
  ...webTransportSuites,
  ...webTransportAioquicSuites,
  ...loadSuites,
  ...slowClientSuites,
  ...autobahnSuites,
  ...webSocketSuites,
  ...wasiSuites,
  ...embeddingSuites,
  ...packageSuites,
  ...behaviourSuites,
  ...quicInteropSuites,
  quicGtlsserverSuite,
  ...quicDenoSuites,
  ...qpackSuites,
  ...browserSuites,
  ...determinismSuites,
  ...imageSuites,
];
const suites = (values.brief ? briefSuites : allSuites).filter(
  (suite) => suite.name.includes(wanted) && (runtime === undefined || suite.runtime === runtime),
);

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
