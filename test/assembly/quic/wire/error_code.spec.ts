/** Which code of CONNECTION_CLOSE a status becomes, RFC 9000 §20.1: those with one of their own, and the rest by their group. */

import { QuicStatus, isPacketDiscard } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import { TransportError, cryptoError, transportErrorOf } from "../../../../assembly/quic/wire/error_code.ts";

describe("error codes", () => {
  test("are the ones that the RFC names for the rule", () => {
    expect(transportErrorOf(QuicStatus.FRAME_TRUNCATED)).toBe(TransportError.FRAME_ENCODING_ERROR);
    expect(transportErrorOf(QuicStatus.RETIRE_PRIOR_TO)).toBe(TransportError.FRAME_ENCODING_ERROR);
    expect(transportErrorOf(QuicStatus.PARAMETER_VALUE)).toBe(TransportError.TRANSPORT_PARAMETER_ERROR);
    expect(transportErrorOf(QuicStatus.VERSION_NEGOTIATION)).toBe(TransportError.VERSION_NEGOTIATION_ERROR);
    expect(transportErrorOf(QuicStatus.AEAD_LIMIT)).toBe(TransportError.AEAD_LIMIT_REACHED);
    expect(transportErrorOf(QuicStatus.CONNECTION_ID_COUNT)).toBe(TransportError.CONNECTION_ID_LIMIT_ERROR);
    expect(transportErrorOf(QuicStatus.CONNECTION_ID_BACKLOG)).toBe(TransportError.CONNECTION_ID_LIMIT_ERROR);
    expect(transportErrorOf(QuicStatus.TOKEN_INVALID)).toBe(TransportError.INVALID_TOKEN);
    expect(transportErrorOf(QuicStatus.NO_VIABLE_PATH)).toBe(TransportError.NO_VIABLE_PATH);
  });

  test("are PROTOCOL_VIOLATION for rules without one", () => {
    for (
      let status: i32 = QuicStatus.CONNECTION_ID_UNSENT;
      status > QuicStatus.CONNECTION_ID_COUNT;
      status--
    ) {
      expect(transportErrorOf(status)).toBe(TransportError.PROTOCOL_VIOLATION);
    }
    expect(transportErrorOf(QuicStatus.CONNECTION_ID_NONE)).toBe(TransportError.PROTOCOL_VIOLATION);
    expect(transportErrorOf(QuicStatus.FRAME_NOT_ALLOWED)).toBe(TransportError.PROTOCOL_VIOLATION);
    expect(transportErrorOf(QuicStatus.ACK_UNSENT)).toBe(TransportError.PROTOCOL_VIOLATION);
  });

  test("are none for packets that are dropped, and INTERNAL_ERROR for what no peer did", () => {
    for (let status = -1200; status <= 0; status++) {
      const code = transportErrorOf(status);
      if (isPacketDiscard(status)) assert(code == TransportError.NO_ERROR, "discarded");
      if (status < -799) assert(code == TransportError.INTERNAL_ERROR, "not of the peer");
      if (status <= -600 && status >= -699) assert(code == cryptoError(40), "of TLS");
    }
    expect(transportErrorOf(Status.OK)).toBe(TransportError.NO_ERROR);
  });
});
