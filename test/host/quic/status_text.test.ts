// Every reason for which a connection over QUIC can end has words of its own.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { QuicConnectionError } from "../../../host/quic/quic_error.ts";
import { endText } from "../../../host/quic/status_text.ts";

const files = ["assembly/abi/quic_status.ts", "assembly/tls/tls_status.ts", "assembly/x509/x509_status.ts"];
/** Told to the packets after it in a datagram, and never of a connection. */
const INNER = "PACKET_DISCARD_LAST";

const statuses = files.flatMap((file) => {
  const text =
    /export const enum \w+Status \{(.*?)^\}/msu.exec(readFileSync(resolve(file), "utf8"))?.[1] ?? "";
  return [...text.matchAll(/^ {2}([A-Z0-9_]+) = (-\d+),/gmu)]
    .map(([, name, value]): [string, number] => [name as string, Number(value)])
    .filter(([name]) => name !== INNER);
});

test("there are statuses of each file", () => {
  expect(statuses.length).toBeGreaterThan(80);
});

test.each(statuses)("%s", (_name, status) => {
  const text = endText(status);
  expect(text).toMatch(/^[ -~]{15,90}$/u);
  expect(text).not.toBe("unknown status");
  expect(statuses.filter(([, other]) => endText(other) === text)).toHaveLength(1);
});

test("an error says the reason", () => {
  const end = { code: 0n, isApplication: false, isRemote: false, reason: "", status: -784 };
  expect(new QuicConnectionError(end).message).toBe(
    "the connection ended with transport error 0x0 (the handshake took too long)",
  );
});
