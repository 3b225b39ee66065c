// slowhttptest: slow heads, slow bodies and slow readers, while others are served.
//
// Survival as the limits define it: another connection is answered in under a second all the time, and the slow ones are
// dropped by their deadlines (10 s for a head, 30 s for a body's window or a stalled reader).

import { findProgram, results, runProgram, skipped, type Suite, type SuiteResult } from "./suite.ts";

const CONNECTIONS = "400";
const ANSWER_MS = 1000;
const ASK_EVERY_MS = 500;

interface Attack {
  readonly name: string;
  readonly flags: readonly string[];
  readonly path: string;
  readonly seconds: number;
}

const ATTACKS: readonly Attack[] = [
  { name: "slow heads", flags: ["-H", "-i", "1", "-x", "8"], path: "/", seconds: 14 },
  { name: "slow bodies", flags: ["-B", "-i", "5", "-s", "8192", "-x", "4"], path: "/count", seconds: 40 },
  {
    name: "slow readers",
    flags: ["-X", "-w", "16", "-y", "32", "-n", "5", "-z", "1"],
    path: "/bytes/8000000",
    seconds: 40,
  },
];

export const slowClientSuites: Suite[] = ATTACKS.map((attack) => ({
  name: `slowhttptest: ${attack.name}`,
  run: (server) => run(attack, server.plain),
}));

async function run(attack: Attack, plain: string): Promise<SuiteResult> {
  const program = findProgram("slowhttptest");
  if (program === null) return skipped("slowhttptest is missing; Debian's package has the same name");
  const before = await openConnections(plain);
  let slowestMs = 0;
  const asking = setInterval(() => {
    const start = performance.now();
    void fetch(`${plain}/`)
      .then((response) => response.text())
      .then(
        () => (slowestMs = Math.max(slowestMs, performance.now() - start)),
        () => (slowestMs = Infinity),
      );
  }, ASK_EVERY_MS);
  const args = ["-c", CONNECTIONS, "-r", "200", "-l", String(attack.seconds), "-u", plain + attack.path];
  await runProgram(program, [...args, ...attack.flags], (attack.seconds + 30) * 1000);
  clearInterval(asking);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const left = (await openConnections(plain)) - before;
  return results([
    [
      "another connection is answered in under a second",
      slowestMs < ANSWER_MS ? null : `one took ${slowestMs.toFixed(0)} ms`,
    ],
    ["none of the slow connections is left", left <= 4 ? null : `${left} are still open`],
  ]);
}

async function openConnections(plain: string): Promise<number> {
  const text = await (await fetch(`${plain}/metrics`)).text();
  return Number(/^httpy_connections_open (\d+)/mu.exec(text)?.[1] ?? Number.NaN);
}
