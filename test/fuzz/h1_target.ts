// The doors of HTTP/1.1 under garbage (door_round.ts): damaged wire cases.

import { Protocol } from "../../assembly/abi/message.ts";
import { wireCases } from "../wire/case_file.ts";
import { DoorRound } from "./door_round.ts";
import type { RoundOptions } from "./door_round.ts";
import { mutate } from "./mutation.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

export function h1Target(): FuzzTarget {
  const cases = wireCases();
  // Those that leave the connection open most of all, or little would happen behind the reader.
  const lasting = cases.filter(({ log }) => !log.some((line) => line.includes(" close ")));
  const weighted = [...cases, ...lasting, ...lasting, ...lasting, ...lasting];
  const large = [
    Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(100_000)}`),
    Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(500)),
  ];
  const corpora: Corpora = [
    [...weighted.filter(({ options }) => options.role !== "client").map(({ bytes }) => bytes), ...large],
    weighted.filter(({ options }) => options.role === "client").map(({ bytes }) => bytes),
  ];
  const options: RoundOptions = {
    protocol: () => Protocol.HTTP_1,
    openFlags: (random) => random.below(2),
    traffic: (random, role) => ({
      bytes() {
        const bytes = mutate(random, corpora[role]);
        return random.oneIn(3) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
      },
    }),
  };
  return {
    round(seed) {
      new DoorRound(new Random(seed), options).run();
    },
  };
}

/** By role: what a server reads, what a client reads. */
type Corpora = readonly [Buffer[], Buffer[]];
