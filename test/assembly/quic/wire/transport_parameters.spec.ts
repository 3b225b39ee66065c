// Transport parameters: every one there and back, and everything that a peer may not declare.

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import {
  VARINT_MAX,
  varintLength,
  writeBytes,
  writeSpan,
  writeU32,
  writeU8,
  writeVarint,
  Writer,
  writerOpen,
} from "../../../../assembly/core/writer.ts";
import { connectionIdIs, connectionIdSet } from "../../../../assembly/quic/wire/connection_id.ts";
import * as One from "../../../../assembly/quic/wire/transport_parameter.ts";
import {
  readTransportParameters,
  transportParametersCover,
  writeReservedParameter,
  writeTransportParameters,
} from "../../../../assembly/quic/wire/transport_parameters.ts";
import { Version } from "../../../../assembly/quic/wire/version.ts";
import { random64, randomBelow, seedRandom } from "../../core/random.ts";

const bytes: usize = memory.data(2048, 16);
const text: usize = memory.data<u8>([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
]);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const ours = changetype<One.TransportParameters>(memory.data(offsetof<One.TransportParameters>(), 16));
const read = changetype<One.TransportParameters>(memory.data(offsetof<One.TransportParameters>(), 16));
const serverOnly: u32[] = [
  One.Parameter.ORIGINAL_DESTINATION_CONNECTION_ID,
  One.Parameter.STATELESS_RESET_TOKEN,
  One.Parameter.PREFERRED_ADDRESS,
  One.Parameter.RETRY_SOURCE_CONNECTION_ID,
];
const numbers: u32[] = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 0x20];

/** What every client has to declare. */
function open(): void {
  writerOpen(writer, bytes, 2048);
  raw(One.Parameter.INITIAL_SOURCE_CONNECTION_ID, text, 8);
}

function raw(parameter: u64, ptr: usize, len: u32): void {
  writeVarint(writer, parameter);
  writeVarint(writer, len);
  writeBytes(writer, ptr, len);
}

function number(parameter: u64, value: u64): void {
  writeVarint(writer, parameter);
  writeVarint(writer, varintLength(value));
  writeVarint(writer, value);
}

function client(): i32 {
  return readTransportParameters(read, bytes, <u32>(writer.at - bytes), false);
}

function server(): i32 {
  return readTransportParameters(read, bytes, <u32>(writer.at - bytes), true);
}

/** What every server has to declare. */
function openServer(): void {
  open();
  raw(One.Parameter.ORIGINAL_DESTINATION_CONNECTION_ID, text, 8);
}

/** Everything there is. */
function fill(): void {
  One.transportParametersDefault(ours);
  for (let i = 0; i < numbers.length; i++) {
    One.parameterNumberSet(ours, numbers[i], One.parameterMax(numbers[i]) - (i % 2));
  }
  connectionIdSet(One.parameterId(ours, One.Parameter.ORIGINAL_DESTINATION_CONNECTION_ID), text, 20);
  connectionIdSet(One.parameterId(ours, One.Parameter.INITIAL_SOURCE_CONNECTION_ID), text + 1, 8);
  connectionIdSet(One.parameterId(ours, One.Parameter.RETRY_SOURCE_CONNECTION_ID), text + 2, 0);
  connectionIdSet(One.parameterId(ours, One.Parameter.PREFERRED_ADDRESS), text + 3, 1);
  memory.copy(One.parameterResetToken(ours), text + 4, 16);
  memory.copy(One.preferredResetToken(ours), text + 5, 16);
  memory.copy(One.preferredAddress(ours), text, One.PREFERRED_ADDRESS_BYTES);
  ours.chosenVersion = Version.V2;
  ours.availableVersions = One.AvailableVersion.V1 | One.AvailableVersion.V2;
  One.parameterSet(ours, One.Parameter.RETRY_SOURCE_CONNECTION_ID);
  One.parameterSet(ours, One.Parameter.STATELESS_RESET_TOKEN);
  One.parameterSet(ours, One.Parameter.PREFERRED_ADDRESS);
  One.parameterSet(ours, One.Parameter.VERSION_INFORMATION);
  One.parameterSet(ours, One.Parameter.DISABLE_ACTIVE_MIGRATION);
  One.parameterSet(ours, One.Parameter.GREASE_QUIC_BIT);
}

describe("transport parameters", () => {
  test("all of them are read as a server wrote them", () => {
    fill();
    writerOpen(writer, bytes, 2048);
    writeTransportParameters(writer, ours, true);
    expect(writer.failed).toBe(0);
    expect(server()).toBe(Status.OK);
    for (let i = 0; i < numbers.length; i++) {
      expect(One.parameterIsPresent(read, numbers[i])).toBe(true, `parameter ${numbers[i]}`);
    }
    // What is written from defaults and flags comes back as what was set, and is told to be there.
    read.present = ours.present;
    expect(
      memory.compare(changetype<usize>(read), changetype<usize>(ours), One.TRANSPORT_PARAMETERS_BYTES),
    ).toBe(0);
    expect(client()).toBe(QuicStatus.PARAMETER_FORBIDDEN);
  });

  test("a client leaves out what only servers may send", () => {
    fill();
    writerOpen(writer, bytes, 2048);
    writeTransportParameters(writer, ours, false);
    expect(client()).toBe(Status.OK);
    for (let i = 0; i < serverOnly.length; i++)
      expect(One.parameterIsPresent(read, serverOnly[i])).toBe(false);
    expect(One.parameterIsPresent(read, One.Parameter.GREASE_QUIC_BIT)).toBe(true);
    expect(One.parameterIsPresent(read, One.Parameter.DISABLE_ACTIVE_MIGRATION)).toBe(true);
    expect(read.chosenVersion).toBe(Version.V2);
    expect(read.availableVersions).toBe(3);
  });

  test("have the RFC's defaults, which are not written", () => {
    One.transportParametersDefault(ours);
    writerOpen(writer, bytes, 2048);
    writeTransportParameters(writer, ours, false);
    expect(<u32>(writer.at - bytes)).toBe(2);
    expect(client()).toBe(Status.OK);
    expect(read.maxIdleTimeoutMs).toBe(0);
    expect(read.maxUdpPayloadSize).toBe(65527);
    expect(read.initialMaxData).toBe(0);
    expect(read.ackDelayExponent).toBe(3);
    expect(read.maxAckDelayMs).toBe(25);
    expect(read.activeConnectionIdLimit).toBe(2);
    expect(read.maxDatagramFrameSize).toBe(0);
    for (let i = 0; i < numbers.length; i++) {
      expect(One.parameterNumber(read, numbers[i])).toBe(One.parameterDefault(numbers[i]));
    }
  });

  test("cut anywhere are truncated, or lack what has to be there", () => {
    fill();
    writerOpen(writer, bytes, 2048);
    writeTransportParameters(writer, ours, true);
    const len = <u32>(writer.at - bytes);
    let truncatedCount = 0;
    for (let short: u32 = 0; short < len; short++) {
      // Memory behind the cut is no part of what is read.
      const status = readTransportParameters(read, bytes, short, true);
      if (status == QuicStatus.PARAMETER_TRUNCATED) truncatedCount++;
      else
        expect(status == QuicStatus.PARAMETER_MISSING || status == Status.OK).toBe(
          true,
          `${short} bytes: ${status}`,
        );
    }
    expect(<u32>truncatedCount).toBeGreaterThan(len - 30);
  });

  test("keep to their ranges", () => {
    // parameter, value, whether it is allowed
    const cases: u64[][] = [
      [3, 1199, 0],
      [3, 1200, 1],
      [3, VARINT_MAX, 1],
      [8, 1 << 60, 1],
      [8, (1 << 60) + 1, 0],
      [9, 1 << 60, 1],
      [9, (1 << 60) + 1, 0],
      [10, 20, 1],
      [10, 21, 0],
      [11, 16383, 1],
      [11, 16384, 0],
      [14, 2, 1],
      [14, 1, 0],
      [14, 0, 0],
      [14, VARINT_MAX, 1],
      [1, VARINT_MAX, 1],
      [4, VARINT_MAX, 1],
      [0x20, 65535, 1],
    ];
    for (let i = 0; i < cases.length; i++) {
      open();
      number(cases[i][0], cases[i][1]);
      expect(client()).toBe(cases[i][2] == 1 ? Status.OK : QuicStatus.PARAMETER_VALUE, `case ${i}`);
      if (cases[i][2] == 1) expect(One.parameterNumber(read, cases[i][0])).toBe(cases[i][1]);
    }
  });

  test("numbers fill their value exactly", () => {
    for (let i = 0; i < numbers.length; i++) {
      open();
      raw(numbers[i], text, 0);
      expect(client()).toBe(QuicStatus.PARAMETER_VALUE);
      open();
      writeVarint(writer, numbers[i]);
      writeU8(writer, 9);
      writeVarint(writer, One.parameterMax(numbers[i]));
      writeSpan(writer, 9 - varintLength(One.parameterMax(numbers[i])));
      expect(client()).toBe(QuicStatus.PARAMETER_VALUE);
      open();
      writeVarint(writer, numbers[i]);
      writeU8(writer, 1);
      writeU8(writer, 0xc0);
      expect(client()).toBe(QuicStatus.PARAMETER_VALUE);
    }
  });

  test("are sent once", () => {
    const twice: u64[] = [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 0x20, 0x2ab2];
    for (let i = 0; i < twice.length; i++) {
      writerOpen(writer, bytes, 2048);
      for (let times = 0; times < 2; times++) {
        if (One.parameterIsNumber(twice[i])) number(twice[i], One.parameterMax(twice[i]));
        else raw(twice[i], text, 0);
      }
      expect(client()).toBe(QuicStatus.PARAMETER_DUPLICATE, `parameter ${twice[i]}`);
    }
  });

  test("that only servers may send are refused from clients", () => {
    for (let i = 0; i < serverOnly.length; i++) {
      open();
      raw(serverOnly[i], text, 16);
      expect(client()).toBe(QuicStatus.PARAMETER_FORBIDDEN);
    }
  });

  test("that are required are missed", () => {
    writerOpen(writer, bytes, 2048);
    expect(client()).toBe(QuicStatus.PARAMETER_MISSING);
    open();
    expect(client()).toBe(Status.OK);
    expect(server()).toBe(QuicStatus.PARAMETER_MISSING);
    openServer();
    expect(server()).toBe(Status.OK);
    writerOpen(writer, bytes, 2048);
    raw(One.Parameter.ORIGINAL_DESTINATION_CONNECTION_ID, text, 8);
    expect(server()).toBe(QuicStatus.PARAMETER_MISSING);
  });

  test("that are not known, or reserved for that, are passed over", () => {
    open();
    seedRandom(3);
    for (let i = 0; i < 20; i++) writeReservedParameter(writer, <u32>random64());
    raw(0x12, text, 3);
    raw(0x1f, text, 0);
    raw(VARINT_MAX, text, 24);
    raw(VARINT_MAX, text, 24);
    number(4, 77);
    expect(client()).toBe(Status.OK);
    expect(read.initialMaxData).toBe(77);
    writerOpen(writer, bytes, 2048);
    writeReservedParameter(writer, 0x12345);
    // 31 × 0x1234 + 27, five bytes.
    expect(bswap<u32>(load<u32>(bytes)) & 0x3fffffff).toBe(31 * 0x1234 + 27);
    expect(load<u8>(bytes + 4)).toBe(5);
  });

  test("of shapes that are fixed have exactly them", () => {
    for (let len: u32 = 0; len < 24; len++) {
      open();
      raw(One.Parameter.DISABLE_ACTIVE_MIGRATION, text, len);
      expect(client()).toBe(len == 0 ? Status.OK : QuicStatus.PARAMETER_VALUE);
      open();
      raw(One.Parameter.GREASE_QUIC_BIT, text, len);
      expect(client()).toBe(len == 0 ? Status.OK : QuicStatus.PARAMETER_VALUE);
      openServer();
      raw(One.Parameter.STATELESS_RESET_TOKEN, text, len);
      expect(server()).toBe(len == 16 ? Status.OK : QuicStatus.PARAMETER_VALUE);
      openServer();
      raw(One.Parameter.RETRY_SOURCE_CONNECTION_ID, text, len);
      expect(server()).toBe(len <= 20 ? Status.OK : QuicStatus.PARAMETER_VALUE);
      if (len > 20) continue;
      const id = One.parameterId(read, One.Parameter.RETRY_SOURCE_CONNECTION_ID);
      expect(connectionIdIs(id, text, len)).toBe(true);
    }
  });

  test("a preferred address has an ID of 1 to 20 bytes, and a server that has one", () => {
    for (let idLen: u32 = 0; idLen < 24; idLen++) {
      for (let more: i32 = -1; more < 2; more++) {
        openServer();
        writeVarint(writer, One.Parameter.PREFERRED_ADDRESS);
        writeVarint(writer, 24 + 1 + idLen + 16 + more);
        writeBytes(writer, text, 24);
        writeU8(writer, idLen);
        writeSpan(writer, idLen + 16 + more);
        const isGood = idLen > 0 && idLen <= 20 && more == 0;
        expect(server()).toBe(
          isGood ? Status.OK : QuicStatus.PARAMETER_VALUE,
          `${idLen} bytes, ${more} more`,
        );
      }
    }
    writerOpen(writer, bytes, 2048);
    raw(One.Parameter.ORIGINAL_DESTINATION_CONNECTION_ID, text, 8);
    raw(One.Parameter.INITIAL_SOURCE_CONNECTION_ID, text, 0);
    writeVarint(writer, One.Parameter.PREFERRED_ADDRESS);
    writeVarint(writer, 49);
    writeBytes(writer, text, 24);
    writeU8(writer, 8);
    writeSpan(writer, 24);
    expect(server()).toBe(QuicStatus.PARAMETER_VALUE);
  });

  test("version information lists whole versions, none of them 0, a client's chosen one among them", () => {
    // chosen, then available; what a client's is worth, what a server's is.
    const lists: u32[][] = [
      [1, 1],
      [1],
      [1, Version.V2],
      [0, 1],
      [1, 1, 0],
      [Version.V2, 1, 0x1a2a3a4a, Version.V2],
    ];
    const fromClient = [true, false, false, false, false, true];
    const fromServer = [true, true, true, false, false, true];
    for (let i = 0; i < lists.length; i++) {
      openServer();
      writeVarint(writer, One.Parameter.VERSION_INFORMATION);
      writeVarint(writer, lists[i].length * 4);
      for (let at = 0; at < lists[i].length; at++) writeU32(writer, lists[i][at]);
      expect(server()).toBe(fromServer[i] ? Status.OK : QuicStatus.PARAMETER_VALUE, `list ${i}`);
      open();
      writeVarint(writer, One.Parameter.VERSION_INFORMATION);
      writeVarint(writer, lists[i].length * 4);
      for (let at = 0; at < lists[i].length; at++) writeU32(writer, lists[i][at]);
      expect(client()).toBe(fromClient[i] ? Status.OK : QuicStatus.PARAMETER_VALUE, `list ${i}`);
    }
    expect(read.availableVersions).toBe(3);
    for (let len: u32 = 0; len < 24; len++) {
      openServer();
      raw(One.Parameter.VERSION_INFORMATION, text, len);
      expect(server()).toBe(len > 0 && len % 4 == 0 ? Status.OK : QuicStatus.PARAMETER_VALUE);
    }
  });

  test("that lower a limit do not cover what was sent before", () => {
    fill();
    for (let i = 0; i < numbers.length; i++) {
      memory.copy(changetype<usize>(read), changetype<usize>(ours), One.TRANSPORT_PARAMETERS_BYTES);
      expect(transportParametersCover(read, ours)).toBe(true);
      One.parameterNumberSet(read, numbers[i], One.parameterNumber(read, numbers[i]) - 1);
      // RFC 9000 §7.4.1: idle timeout, UDP payload and ACK delays are not remembered.
      const isRemembered = ![1, 3, 10, 11].includes(numbers[i]);
      expect(transportParametersCover(read, ours)).toBe(!isRemembered, `parameter ${numbers[i]}`);
      expect(transportParametersCover(ours, read)).toBe(true);
    }
  });

  test("of any bytes are answered", () => {
    seedRandom(11);
    for (let round = 0; round < 5000; round++) {
      fill();
      writerOpen(writer, bytes, 2048);
      writeTransportParameters(writer, ours, true);
      const len = <u32>(writer.at - bytes);
      for (let flips = 1 + randomBelow(4); flips > 0; flips--)
        store<u8>(bytes + randomBelow(len), <u8>random64());
      const status = readTransportParameters(read, bytes, len - randomBelow(8), true);
      if (
        status != Status.OK &&
        (status > QuicStatus.PARAMETER_TRUNCATED || status < QuicStatus.PARAMETER_MISSING)
      ) {
        expect(status).toBe(Status.OK);
      }
    }
  });
});
