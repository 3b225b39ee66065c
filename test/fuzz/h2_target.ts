// The doors of HTTP/2 under garbage (door_round.ts), and HPACK with them: frames that mostly make sense (h2_traffic.ts), on connections that
// begin as HTTP/2, and on connections of HTTP/1.1 that its preface takes over. What the engine sends has to be frames in a right order.

import { OpenFlag, Protocol } from "../../assembly/abi/message.ts";
import { DoorRound } from "./door_round.ts";
import type { RoundOptions } from "./door_round.ts";
import { H2Traffic } from "./h2_traffic.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

const ALL_OPEN_FLAGS = OpenFlag.SECURE | OpenFlag.EXTENDED_CONNECT | OpenFlag.PUSH;

export function h2Target(): FuzzTarget {
  const options: RoundOptions = {
    protocol: (random) => (random.oneIn(5) ? Protocol.HTTP_1 : Protocol.HTTP_2),
    openFlags: (random) => random.below(ALL_OPEN_FLAGS + 1),
    traffic(random, role, protocol) {
      const traffic = new H2Traffic(random, role);
      // Where HTTP/1.1 begins, the first bytes decide what is spoken.
      return protocol === Protocol.HTTP_2 ? traffic : { bytes: () => traffic.bytes() };
    },
  };
  return {
    round(seed) {
      new DoorRound(new Random(seed), options).run();
    },
  };
}
