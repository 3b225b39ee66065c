// The trace of RFC 8448 §3: its messages through our transcript and key schedule must give its secrets.

import { beforeAll, describe, expect, test } from "vitest";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Room } from "./room.ts";

interface Trace {
  readonly values: Record<string, string>;
  readonly messages: Record<string, string>;
}

const path = resolve("../shared/data/tls13-rfc8448/simple-1rtt.json");
const trace = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Trace) : undefined;
if (trace === undefined) process.stdout.write("skipped: no trace of RFC 8448 beside the project\n");

const SHA_256 = 1;
const hashBytes = 32;
/** The labels by the numbers that the door of the test has for them. */
const labels = [
  "derived",
  "c hs traffic",
  "s hs traffic",
  "c ap traffic",
  "s ap traffic",
  "exp master",
  "res master",
];

let room: Room;

beforeAll(async () => {
  room = await Room.create();
});

describe.runIf(trace !== undefined)("the trace of RFC 8448", () => {
  const value = (name: string): string => trace!.values[name] as string;
  const bytes = (name: string): Buffer => Buffer.from(trace!.messages[name] as string, "hex");
  // Places in the scratch region.
  const secretAt = 0;
  const hashAt = 64;
  const outAt = 128;
  const inAt = 256;

  const out = (): string => room.read(room.scratch + outAt, hashBytes).toString("hex");

  function transcriptOf(...names: string[]): string {
    const flight = Buffer.concat(names.map(bytes));
    room.doors.hashMessages!(SHA_256, room.write(flight, inAt), flight.length, room.scratch + outAt);
    return out();
  }

  function derive(secret: string, label: string, transcript: string): string {
    const secretPtr = room.write(Buffer.from(secret, "hex"), secretAt);
    const hashPtr = room.write(Buffer.from(transcript, "hex"), hashAt);
    room.doors.derive!(SHA_256, secretPtr, labels.indexOf(label), hashPtr, room.scratch + outAt);
    return out();
  }

  test("gives the secrets of the schedule", () => {
    room.doors.earlySecret!(SHA_256, 0, 0, room.scratch + outAt);
    expect(out()).toBe(value("early_secret"));
    const early = room.write(Buffer.from(value("early_secret"), "hex"), secretAt);
    const shared = room.write(Buffer.from(value("shared_secret"), "hex"), inAt);
    room.doors.handshakeSecret!(SHA_256, early, shared, hashBytes, room.scratch + outAt);
    expect(out()).toBe(value("handshake_secret"));
    const handshake = room.write(Buffer.from(value("handshake_secret"), "hex"), secretAt);
    room.doors.masterSecret!(SHA_256, handshake, room.scratch + outAt);
    expect(out()).toBe(value("master_secret"));
  });

  test("gives the traffic secrets", () => {
    const hellos = transcriptOf("ClientHello", "ServerHello");
    const handshake = value("handshake_secret");
    expect(derive(handshake, "c hs traffic", hellos)).toBe(value("client_hs_traffic_secret"));
    expect(derive(handshake, "s hs traffic", hellos)).toBe(value("server_hs_traffic_secret"));
    const flight = [
      "ClientHello",
      "ServerHello",
      "EncryptedExtensions",
      "Certificate",
      "CertificateVerify",
      "ServerFinished",
    ];
    const finished = transcriptOf(...flight);
    const master = value("master_secret");
    expect(derive(master, "c ap traffic", finished)).toBe(value("client_ap_traffic_secret"));
    expect(derive(master, "s ap traffic", finished)).toBe(value("server_ap_traffic_secret"));
    expect(derive(master, "exp master", finished)).toBe(value("exporter_master_secret"));
    const whole = transcriptOf(...flight, "ClientFinished");
    expect(derive(master, "res master", whole)).toBe(value("resumption_master_secret"));
  });

  test("gives both Finished", () => {
    const flight = ["ClientHello", "ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify"];
    const finishedOf = (secret: string, ...names: string[]): string => {
      const transcript = transcriptOf(...names);
      const secretPtr = room.write(Buffer.from(value(secret), "hex"), secretAt);
      const hashPtr = room.write(Buffer.from(transcript, "hex"), hashAt);
      room.doors.finishedMac!(SHA_256, secretPtr, hashPtr, room.scratch + outAt);
      return out();
    };
    const body = (name: string): string => bytes(name).subarray(4).toString("hex");
    expect(finishedOf("server_hs_traffic_secret", ...flight)).toBe(body("ServerFinished"));
    const whole = [...flight, "ServerFinished"];
    expect(finishedOf("client_hs_traffic_secret", ...whole)).toBe(body("ClientFinished"));
  });
});
