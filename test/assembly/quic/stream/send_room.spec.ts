/** How much a stream may leave with its connection: grows with the congestion window, between two limits. */

import { slabInitialize } from "../../../../assembly/core/slab.ts";
import { sendRoomFollow } from "../../../../assembly/quic/stream/send_room.ts";
import { QuicStreams, streamsCreate } from "../../../../assembly/quic/stream/streams.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";

const REGION_BYTES: usize = 16 * 65536;
const region: usize = heap.alloc(REGION_BYTES);
const MIB: u64 = 1 << 20;

describe("what a stream may leave", () => {
  test("follows the window: a share of its limit, its limit, twice the window above that, and what all may leave at most", () => {
    slabInitialize(region, region + REGION_BYTES);
    limitsReset();
    const set = changetype<QuicStreams>(streamsCreate(true, 0));
    expect(set.streamHeldMost).toBe(MIB);
    sendRoomFollow(set, 2400);
    expect(set.streamHeldMost).toBe(MIB / 8);
    expect(set.heldMost).toBe(MIB / 2);
    sendRoomFollow(set, 300_000);
    expect(set.streamHeldMost).toBe(MIB);
    sendRoomFollow(set, 1_500_000);
    expect(set.streamHeldMost).toBe(3_000_000);
    sendRoomFollow(set, 1e12);
    expect(set.streamHeldMost).toBe(4 * MIB);
    expect(set.heldMost).toBe(4 * MIB);
  });
});
