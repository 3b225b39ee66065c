// Client and server of HTTP/3, QUIC and TLS and all, over networks that lose. A failure names its seed, from which everything follows:
// `SEEDS=1000 FIRST=0 npx vitest run test/sim/http3.test.ts` runs more of them.

import { describe, expect, test } from "vitest";
import { QuicOption } from "../../assembly/abi/quic.ts";
import { Random } from "../fuzz/random.ts";
import { http3Nodes } from "./http3_nodes.ts";
import { Http3Run, type Plan } from "./http3_run.ts";
import { CLEAR, type Weather } from "./network.ts";

const SEEDS = Number(process.env["SEEDS"] ?? 60);
const FIRST = Number(process.env["FIRST"] ?? 0);
const EXCHANGES = 24;

function planOf(random: Random): Plan {
  const hasContent = random.oneIn(2);
  const size = (): number => random.pick([0, 1, 500, 5000, random.below(60_000)]);
  return {
    method: hasContent ? "POST" : "GET",
    requestBytes: hasContent ? size() : 0,
    hasRequestTrailers: hasContent && random.oneIn(3),
    answerBytes: size(),
    hasAnswerTrailers: random.oneIn(3),
    hasHint: random.oneIn(6),
  };
}

function outcomeOf(seed: number, loss: number) {
  const random = new Random(seed);
  const weather: Weather = {
    ...CLEAR,
    latencyMs: 5 + random.below(60),
    jitterMs: random.below(10),
    loss,
    duplication: random.oneIn(3) ? 0.01 : 0,
    corruption: random.oneIn(4) ? 0.005 : 0,
  };
  const { module, server, client } = http3Nodes(seed);
  // CUBIC, NewReno and BBR in turn.
  const congestion = [QuicOption.CONGESTION, seed % 3] as const;
  return new Http3Run({
    module,
    server: { ...server, options: [...(server.options ?? []), congestion] },
    client: { ...client, options: [...(client.options ?? []), congestion] },
    random,
    weather,
    plans: Array.from({ length: EXCHANGES }, () => planOf(random)),
    concurrency: 1 + random.below(12),
  }).go();
}

describe.each([0.02, 0.1])("at a loss of %f", (loss) => {
  test(`every byte arrives, in the weather of ${SEEDS / 2} seeds from ${FIRST}`, () => {
    const failed: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS / 2; seed++) {
      try {
        outcomeOf(seed, loss);
      } catch (error) {
        failed.push(`seed ${seed}: ${(error as Error).message}`);
      }
    }
    expect(failed).toEqual([]);
  }, 600_000);
});
