// What a client must not do before its handshake is confirmed: packets of the levels Handshake and 0-RTT that a test seals with the keys
// of an honest client. The cases of h3spec that need those levels; its others are in transport_errors.test.ts and test/wire/h3.

import { describe, expect, test } from "vitest";
import { QuicConfigFlag } from "../../../assembly/abi/quic.ts";
import { varint } from "../../fuzz/quic_frames.ts";
import * as f from "./frames.ts";
import { clientNode, sent, serverNode } from "./nodes.ts";
import { PacketKeys } from "./packet_keys.ts";
import { sourceOf, type Closed } from "./rogue.ts";
import { TransportError } from "./transport_error.ts";

const VERSION_1 = Buffer.of(0, 0, 0, 1);
const LongType = { ZERO_RTT: 1, HANDSHAKE: 2 } as const;
/** RFC 9001 §4.8, and RFC 8446 §6. */
const UNEXPECTED_MESSAGE = 0x100 + 10;
const TlsMessage = { END_OF_EARLY_DATA: 5, KEY_UPDATE: 24 } as const;
/** Above the numbers that the honest client has used. */
const NUMBER = 100;

interface Ids {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
}

function sealLong(
  keys: PacketKeys,
  type: number,
  { destination, source }: Ids,
  payload: Uint8Array,
  reservedBits = 0,
): Buffer {
  const padded = Buffer.concat([payload, Buffer.alloc(4)]);
  const header = Buffer.concat([
    Buffer.of(0xc0 | (type << 4) | reservedBits | 0x03),
    VERSION_1,
    Buffer.of(destination.length),
    destination,
    Buffer.of(source.length),
    source,
    varint(BigInt(4 + padded.length + 16), 2),
    Buffer.alloc(4),
  ]);
  return keys.seal(header, NUMBER, padded);
}

/** The connection IDs that a long header names. */
function idsOf(datagram: Buffer): Ids {
  return { destination: datagram.subarray(6, 6 + (datagram[5] as number)), source: sourceOf(datagram) };
}

/** A server, a client whose secrets are seen, and how the server's connection ended. */
function pair() {
  const server = serverNode({ flags: QuicConfigFlag.EARLY_DATA });
  const client = clientNode({ flags: QuicConfigFlag.EARLY_DATA });
  const secrets = new Map<string, Buffer>();
  const closed: Closed[] = [];
  let ticket: Uint8Array | undefined;
  server.events = {
    closed: (_connection, flags, code, _reason, status) => closed.push({ flags, code: Number(code), status }),
  };
  client.events = {
    ticket: (_connection, bytes) => (ticket = bytes.slice()),
    keyLog: (_connection, lines) => {
      for (const line of lines.trim().split("\n")) {
        const [label = "", , secret = ""] = line.split(" ");
        secrets.set(label, Buffer.from(secret, "hex"));
      }
    },
  };
  const take = (bytes: readonly Buffer[]) => server.receive(1, bytes, client.address);
  const give = (bytes: readonly Buffer[]) => client.receive(1, bytes, server.address);
  const fromClient = () => sent(client, 1).map(({ payload }) => payload);
  const fromServer = () => sent(server, 1).map(({ payload }) => payload);
  const keysOf = (label: string) => new PacketKeys(secrets.get(label) as Buffer);
  return { server, client, closed, take, give, fromClient, fromServer, keysOf, ticketOf: () => ticket };
}

const handshakeCases: readonly [name: string, code: number, payload: Buffer, reservedBits: number][] = [
  ["reserved bits that are set", TransportError.PROTOCOL_VIOLATION, f.ping(), 0x0c],
  ["PATH_CHALLENGE", TransportError.PROTOCOL_VIOLATION, f.pathChallenge(1), 0],
  ["STREAM", TransportError.PROTOCOL_VIOLATION, f.stream(0, 0, Buffer.of(1)), 0],
  ["KeyUpdate", UNEXPECTED_MESSAGE, f.crypto(0, Buffer.of(TlsMessage.KEY_UPDATE, 0, 0, 1, 0)), 0],
  ["EndOfEarlyData", UNEXPECTED_MESSAGE, f.crypto(0, Buffer.of(TlsMessage.END_OF_EARLY_DATA, 0, 0, 0)), 0],
];

describe("in a Handshake packet", () => {
  test.each(handshakeCases)("%s ends the connection", (_name, code, payload, reservedBits) => {
    const { client, server, closed, take, give, fromClient, fromServer, keysOf } = pair();
    client.connect(1, server.address, "attack.test");
    take(fromClient());
    const flight = fromServer();
    const { destination, source } = idsOf(flight[0]!);
    give(flight);
    // What the client has to say to this flight is lost.
    const keys = keysOf("CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    const ids = { destination: source, source: destination };
    take([sealLong(keys, LongType.HANDSHAKE, ids, payload, reservedBits)]);
    fromServer();
    expect(closed).toEqual([expect.objectContaining({ flags: 0, code })]);
  });

  test("PING does not", () => {
    const { client, server, closed, take, give, fromClient, fromServer, keysOf } = pair();
    client.connect(1, server.address, "attack.test");
    take(fromClient());
    const flight = fromServer();
    const { destination, source } = idsOf(flight[0]!);
    give(flight);
    const keys = keysOf("CLIENT_HANDSHAKE_TRAFFIC_SECRET");
    take([sealLong(keys, LongType.HANDSHAKE, { destination: source, source: destination }, f.ping())]);
    expect(fromServer().length).toBeGreaterThan(0);
    expect(closed).toEqual([]);
  });
});

const earlyCases: readonly [name: string, payload: Buffer][] = [
  ["CRYPTO", f.crypto(0, Buffer.of(TlsMessage.END_OF_EARLY_DATA, 0, 0, 0))],
  ["ACK", f.ack(0)],
  ["HANDSHAKE_DONE", f.frame(0x1e)],
  ["NEW_TOKEN", f.frame(0x07, 3, Buffer.alloc(3))],
  ["PATH_RESPONSE", f.frame(0x1b, Buffer.alloc(8))],
  ["RETIRE_CONNECTION_ID", f.retireConnectionId(0)],
];

describe("in a 0-RTT packet", () => {
  test.each(earlyCases)("%s ends the connection", (_name, payload) => {
    const { client, server, closed, take, give, fromClient, fromServer, keysOf, ticketOf } = pair();
    client.connect(1, server.address, "attack.test");
    for (let turn = 0; turn < 4; turn++) {
      take(fromClient());
      give(fromServer());
    }
    const { quic } = client.engine;
    const connection = client.connect(1, server.address, "attack.test", { ticket: ticketOf()! });
    quic.writeStream(connection, quic.openStream(connection, false), Buffer.from("early"), true, 1);
    const flight = fromClient();
    const keys = keysOf("CLIENT_EARLY_TRAFFIC_SECRET");
    const early = sealLong(keys, LongType.ZERO_RTT, idsOf(flight[0]!), payload);
    expect(closed).toEqual([]);
    take([...flight, early]);
    fromServer();
    expect(closed).toEqual([expect.objectContaining({ flags: 0, code: TransportError.PROTOCOL_VIOLATION })]);
  });
});
