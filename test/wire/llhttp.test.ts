// llhttp's cases (strict mode) through the ABI: whole, cut in two anywhere, and byte by byte. Where the two differ, ours is the
// stricter one, and the table says why by the RFC.

import { describe, expect, test } from "vitest";
import { Status } from "../../assembly/abi/status.ts";
import { completed, refusalOf, runEverySplit, withHost } from "./foreign_case.ts";
import type { Exceptions, ForeignCase } from "./foreign_case.ts";
import { vectorCases } from "./vectors.ts";

interface LlhttpCase {
  id: string;
  name: string;
  type: string;
  input_b64: string;
  error: { offset: number; code: number | null } | null;
  messages: {
    method: string;
    url: string;
    headers: [string, string][];
    body: string;
    complete: boolean;
    headers_complete: string;
  }[];
  log: string[];
  skipBody?: boolean;
}

/** llhttp stops there by request, or at an upgrade; it found nothing wrong. */
const STOPS = new Set([null, 22]);
/** Bytes after `connection: close`: llhttp reports them, ours ignores them. */
const AFTER_CLOSE = 5;

const exceptions: Exceptions = {
  // Stricter than llhttp.
  "request/sample:317": [Status.H1_VERSION, "RFC 9112 §2.3: HTTP/0.9 is not spoken"],
  "request/method:99": [Status.CONTENT_LENGTH_INVALID, "RFC 9110 §9.3.6: CONNECT has no content"],
  "request/method:138": [Status.H1_TARGET, "RFC 9112 §3.2.4: asterisk-form is for OPTIONS alone"],
  "request/method:375": [Status.H1_VERSION, "RFC 9112 §2.3: ICE is another protocol"],
  "request/method:405": [Status.H1_VERSION, "RFC 9112 §2.3: RTSP is another protocol"],
  "request/method:433": [Status.H1_VERSION, "RFC 9112 §2.3: RTSP is another protocol"],
  "request/uri:168": [Status.H1_TARGET, "RFC 9112 §3.2: a target has no fragment"],
  "request/uri:225": [Status.HOST_INVALID, "RFC 9110 §4.2.4: user information is refused"],
  "request/transfer-encoding:754": [Status.H1_TARGET, "RFC 9112 §3.2: a target has no fragment"],
  "request/transfer-encoding:796": [Status.H1_TARGET, "RFC 9112 §3.2: a target has no fragment"],
  "request/finish:33": [
    Status.H1_UNEXPECTED_END,
    "llhttp tells this by what finish() answers, not as an error",
  ],
  "request/finish:58": [Status.H1_UNEXPECTED_END, "as above"],
  "response/connection:296": [
    Status.H1_UNEXPECTED_RESPONSE,
    "RFC 9110 §15.2.2: 101 answers an upgrade, and none was asked",
  ],
  "response/connection:334": [Status.H1_UNEXPECTED_RESPONSE, "as above"],
  "response/connection:495": [
    Status.H1_VERSION,
    "RFC 9112 §2.2: an empty line may precede a request-line only",
  ],
  "response/connection:589": [Status.H1_VERSION, "as above"],
  "response/pipelining:7": [Status.H1_VERSION, "as above"],
  "response/sample:698": [Status.H1_VERSION, "as above"],
  "response/sample:43": [Status.H1_VERSION, "RFC 9112 §2.3: RTSP is another protocol"],
  "response/sample:63": [Status.H1_VERSION, "RFC 9112 §2.3: ICE is another protocol"],
  "response/sample:648": [Status.H1_VERSION_UNSUPPORTED, "RFC 9112 §2.3: HTTP/0.9 has no status line"],
  "response/sample:294": [Status.H1_STATUS_LINE, "RFC 9112 §4: the space stays when there is no reason"],
  "response/transfer-encoding:46": [
    Status.H1_TRANSFER_ENCODING_INVALID,
    "RFC 9112 §6.1: refused, not read until close",
  ],
  "response/transfer-encoding:77": [Status.H1_TRANSFER_ENCODING_INVALID, "as above"],
  "response/transfer-encoding:115": [Status.H1_TRANSFER_ENCODING_INVALID, "as above"],
  // Other than llhttp, and not refused.
  "request/content-length:78": [Status.OK, "judged once the head is complete, which it is not"],
  "request/content-length:103": [Status.OK, "as above"],
  "request/content-length:447": [Status.OK, "llhttp was told to skip content that the message has"],
  "response/content-length:126": [Status.OK, "as above"],
  "request/invalid:69": [
    Status.OK,
    "RFC 9110 §9.1: methods are tokens; which are served is the handler's business",
  ],
  "request/invalid:359": [Status.OK, "as above"],
  "response/sample:199": [Status.OK, "the vector leaves the line feed out that is the content"],
  "response/finish:9": [Status.OK, "RFC 9112 §6.3: the end completes content without a length"],
};

const cases = vectorCases<LlhttpCase>("llhttp/cases.json").filter(({ type }) =>
  /^(request|response)(-finish)?$/.test(type),
);

function toCase({ type, input_b64, log, messages }: LlhttpCase): ForeignCase {
  const input = Buffer.from(input_b64, "base64");
  const end = type.endsWith("-finish");
  if (type.startsWith("request")) {
    return { bytes: withHost(input), pauses: [], options: { end, answer: "tunnel" } };
  }
  const ends = log
    .filter((line) => line.endsWith("message complete"))
    .map((line) => Number(/\d+/.exec(line)![0]));
  const requests = messages.filter(isFinal).map((_, index) => `GET /${index}`);
  return { bytes: input, pauses: ends, options: { role: "client", end, requests } };
}

/** llhttp counts interim responses as messages of their own. */
function isFinal({ headers_complete }: { headers_complete: string }): boolean {
  return !/status=1(?!01)/.test(headers_complete);
}

/** The vectors are text, the wire is bytes. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

describe.skipIf(cases.length === 0)("llhttp", () => {
  test.each(cases)("$id $name", (given) => {
    const wire = toCase(given);
    const outcome = runEverySplit(wire);
    const isHostAdded = wire.bytes.length !== Buffer.from(given.input_b64, "base64").length;
    const exception = exceptions[given.id];
    if (exception !== undefined) {
      expect(refusalOf(outcome), exception[1]).toBe(exception[0]);
      return;
    }
    const isFine = given.error === null || STOPS.has(given.error.code) || given.error.code === AFTER_CLOSE;
    expect(refusalOf(outcome) === 0).toBe(isFine);
    const theirs = given.messages
      .filter((message) => message.complete && isFinal(message))
      .map(({ method, url, headers, body }) => ({
        method,
        target: url,
        fields: headers.map(([name, value]) => [name.toLowerCase(), latin1(value.trim())]),
        body: latin1(body),
      }));
    const isRequest = given.type.startsWith("request");
    const ours = completed(outcome, isHostAdded).map(({ method, target, fields, trailers, body }) => ({
      // llhttp knows no request for a response.
      method: isRequest ? method : "",
      target: isRequest ? target : "",
      fields: [...fields, ...trailers],
      body,
    }));
    expect(ours).toEqual(theirs);
  });

  test("every exception names a case and is one", () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect(Object.keys(exceptions).filter((id) => !ids.has(id))).toEqual([]);
  });
});
