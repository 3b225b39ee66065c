// gunicorn's request parser cases through the ABI: whole, cut in two anywhere, and byte by byte. What gunicorn refuses is refused
// here before it reaches a handler, what it accepts comes to the same requests, except for what the table gives reasons for.

import { describe, expect, test } from "vitest";
import { Status } from "../../assembly/abi/status.ts";
import { completed, refusalOf, runEverySplit, withHost } from "./foreign_case.ts";
import type { Exceptions } from "./foreign_case.ts";
import { vectorCases } from "./vectors.ts";

interface GunicornCase {
  id: string;
  valid: boolean;
  input_b64: string;
  error?: string;
  requests?: { method: string; uri: string; headers: [string, string][]; body: string }[];
}

const FRAGMENT = "RFC 9112 §3.2: a target has no fragment";
const TRAILER = "RFC 9110 §6.5: trailers are kept apart and never merged, so they need not be refused";
const CODING = "RFC 9112 §6.1: codings besides chunked are 501";
const PROXY = "the PROXY protocol is not spoken";

const exceptions: Exceptions = {
  // Refused by gunicorn's options or limits only.
  "invalid/006": [Status.OK, "the target has fewer than our 8192 bytes"],
  "invalid/007": [Status.OK, "the head has fewer than our 32 KiB"],
  "invalid/008": [Status.OK, "as above"],
  "invalid/011": [Status.OK, "a limit of gunicorn's options"],
  "invalid/012": [Status.OK, "as above"],
  "invalid/limit_header_default_01": [Status.OK, "as above"],
  "invalid/040": [
    Status.OK,
    "an underscore is a character of a token, RFC 9110 §5.6.2; it stands for nothing else here",
  ],
  "invalid/041": [Status.OK, "RFC 9110 §8.3: two content types are the handler's to judge"],
  "invalid/rfc9110_trailer_forbidden_cl_01": [Status.OK, TRAILER],
  "invalid/rfc9110_trailer_forbidden_host_01": [Status.OK, TRAILER],
  "invalid/rfc9110_trailer_forbidden_te_01": [Status.OK, TRAILER],
  // Read otherwise by gunicorn.
  "valid/020": [Status.OK, "the host that is added here lengthens the request within its content"],
  "valid/031compat": [Status.OK, "RFC 9110 §9.1: methods are case-sensitive; an option of gunicorn's"],
  "valid/040": [Status.OK, "names with an underscore are told, not dropped"],
  "valid/099": [Status.OK, "the content is shorter than its length, so that the message is not complete"],
  // Accepted by gunicorn.
  "valid/005": [Status.H1_TARGET, FRAGMENT],
  "valid/009": [Status.H1_TARGET, FRAGMENT],
  "valid/025": [Status.H1_TRANSFER_ENCODING_INVALID, CODING],
  "valid/025_line": [Status.H1_TRANSFER_ENCODING_UNSUPPORTED, CODING],
  "valid/027": [Status.H1_TARGET, "RFC 3986 §2: a target is ASCII"],
  "valid/028": [
    Status.H1_FIELD_NAME,
    "RFC 9112 §5.1: no whitespace before the colon; an option of gunicorn's",
  ],
  "valid/029": [Status.H1_TRANSFER_ENCODING_INVALID, "RFC 9112 §7: identity is no coding any more"],
  "valid/030": [Status.H1_TRANSFER_ENCODING_INVALID, "as above"],
  "valid/compat_obs_fold": [Status.H1_OBS_FOLD, "RFC 9112 §5.2: refused; an option of gunicorn's"],
  "valid/compat_obs_fold_huge": [Status.H1_OBS_FOLD, "as above"],
  "valid/pp_01": [Status.H1_VERSION, PROXY],
  "valid/pp_02": [Status.H1_VERSION, PROXY],
  "valid/pp_04": [Status.H1_METHOD, PROXY],
  "valid/pp_05": [Status.H1_METHOD, PROXY],
  "valid/rfc9112_smuggle_gzip_chunked_01": [Status.H1_TRANSFER_ENCODING_UNSUPPORTED, CODING],
  "valid/rfc9112_smuggle_te_identity_chunked_01": [Status.H1_TRANSFER_ENCODING_UNSUPPORTED, CODING],
  "valid/rfc9112_target_absolute_https_01": [Status.MISDIRECTED, "RFC 9110 §7.4: no TLS, no https"],
  "valid/rfc9112_target_absolute_userinfo_01": [
    Status.H1_TARGET,
    "RFC 9110 §4.2.4: user information is refused",
  ],
};

const cases = vectorCases<GunicornCase>("gunicorn/cases.json");

describe.skipIf(cases.length === 0)("gunicorn", () => {
  test.each(cases)("$id", (given) => {
    const input = Buffer.from(given.input_b64, "base64");
    const bytes = given.valid ? withHost(input) : input;
    const outcome = runEverySplit({ bytes, pauses: [], options: { end: !given.valid } });
    const exception = exceptions[given.id];
    if (exception !== undefined) {
      expect(refusalOf(outcome), exception[1]).toBe(exception[0]);
      return;
    }
    if (!given.valid) {
      expect(refusalOf(outcome), given.error).toBeLessThan(0);
      return;
    }
    expect(refusalOf(outcome)).toBe(0);
    const theirs = given.requests!.map(({ method, uri, headers, body }) => ({
      method,
      target: uri,
      fields: headers.map(([name, value]) => [name.toLowerCase(), value]),
      body,
    }));
    // gunicorn reads trailers and forgets them.
    const ours = completed(outcome, bytes.length !== input.length).map(({ trailers: _, ...rest }) => rest);
    expect(ours).toEqual(theirs);
  });

  test("every exception names a case", () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect(Object.keys(exceptions).filter((id) => !ids.has(id))).toEqual([]);
  });
});
