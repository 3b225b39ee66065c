/** Seeded random streams: any split gives the same log, and nothing traps. */

import { Role } from "../../../assembly/abi/message.ts";
import { FrameBit, Opcode } from "../../../assembly/ws/opcode.ts";
import { writeFrameHeader, writeMaskedFrameHeader } from "../../../assembly/ws/frame_header.ts";
import { maskBytes } from "../../../assembly/ws/mask.ts";
import { fillRandom, random64, randomBelow, seedRandom } from "../core/random.ts";
import { Peer } from "./wire.ts";

const STREAM_BYTES_MAX: u32 = 1 << 14;
const stream: usize = heap.alloc(STREAM_BYTES_MAX + 1024);

/** Mostly valid: opcodes that fit, sometimes a random first byte; answers the length of the stream. */
function writeStream(isMasked: bool): u32 {
  let at = stream;
  let isMessageOpen = false;
  const frameCount: u32 = 1 + randomBelow(24);
  for (let count: u32 = 0; count < frameCount && at < stream + STREAM_BYTES_MAX; count++) {
    let firstByte: u32;
    let payloadLen: u32 = randomBelow(4) == 0 ? randomBelow(600) : randomBelow(20);
    if (randomBelow(4) == 0) {
      firstByte = FrameBit.FIN | (randomBelow(2) == 0 ? Opcode.PING : Opcode.PONG);
      payloadLen = min(payloadLen, 125);
    } else {
      const isLast = randomBelow(2) == 0;
      firstByte = isMessageOpen ? Opcode.CONTINUATION : 1 + randomBelow(2);
      if (isLast) firstByte |= FrameBit.FIN;
      isMessageOpen = !isLast;
    }
    if (randomBelow(40) == 0) firstByte = randomBelow(256);
    const key = <u32>random64();
    at += isMasked
      ? writeMaskedFrameHeader(at, firstByte, payloadLen, key)
      : writeFrameHeader(at, firstByte, payloadLen);
    if (randomBelow(20) == 0) fillRandom(at, payloadLen);
    else memory.fill(at, <u8>(0x20 + randomBelow(0x5f)), payloadLen);
    if (isMasked) maskBytes(at, payloadLen, key);
    at += payloadLen;
  }
  return <u32>(at - stream);
}

function receiveInPieces(peer: Peer, len: u32, pieceMax: u32): string {
  for (let offset: u32 = 0; offset < len;) {
    const piece = min(len - offset, 1 + randomBelow(pieceMax));
    peer.receive(stream + offset, piece);
    offset += piece;
  }
  return peer.log;
}

describe("random streams", () => {
  test("frames give the same log however they are cut", () => {
    const peer = new Peer();
    seedRandom(20);
    let differing = 0;
    let completed = 0;
    for (let run = 0; run < 400; run++) {
      const role = randomBelow(2) == 0 ? Role.SERVER : Role.CLIENT;
      const isDeflateAgreed = randomBelow(2) == 0;
      const len = writeStream(role == Role.SERVER);
      peer.begin(role, isDeflateAgreed, 1000, 6);
      peer.receive(stream, len);
      const whole = peer.log;
      if (whole != "") completed++;
      for (let cutting = 0; cutting < 4; cutting++) {
        peer.begin(role, isDeflateAgreed, 1000, 6);
        if (receiveInPieces(peer, len, cutting == 0 ? 1 : 1 << (cutting * 3)) != whole) differing++;
      }
    }
    expect(differing).toBe(0);
    expect(completed).toBeGreaterThan(300);
    peer.free();
  });

  test("bytes at random give the same log however they are cut", () => {
    const peer = new Peer();
    seedRandom(21);
    let differing = 0;
    for (let run = 0; run < 3000; run++) {
      const role = randomBelow(2) == 0 ? Role.SERVER : Role.CLIENT;
      const len = 1 + randomBelow(200);
      fillRandom(stream, len);
      // Let the stream get past its first byte.
      store<u8>(stream, <u8>(0x80 | randomBelow(16)));
      store<u8>(stream + 1, <u8>(randomBelow(128) | (role == Role.SERVER ? 0x80 : 0)));
      peer.begin(role, true, 1000, 6);
      peer.receive(stream, len);
      const whole = peer.log;
      peer.begin(role, true, 1000, 6);
      if (receiveInPieces(peer, len, 5) != whole) differing++;
    }
    expect(differing).toBe(0);
    peer.free();
  });
});
