/** The opening handshake as each side reads it, RFC 6455 §4; key, accept and base64 with it. */

import { MessageFlag, Method, Version } from "../../../assembly/abi/message.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { base64DecodedLength, base64Length, writeBase64 } from "../../../assembly/http/base64.ts";
import { ACCEPT_BYTES, KEY_BYTES, isKey, writeAccept, writeKey } from "../../../assembly/ws/accept.ts";
import {
  connectRequestStatus,
  connectResponseStatus,
  requestKeyPtr,
  upgradeRequestStatus,
  upgradeResponseStatus,
} from "../../../assembly/ws/handshake.ts";
import {
  isSubprotocolOffered,
  subprotocolAnswerStatus,
  subprotocolOfferStatus,
} from "../../../assembly/ws/subprotocol.ts";
import { WsStatus } from "../../../assembly/abi/ws_status.ts";
import { fillRandom, randomBelow, seedRandom } from "../core/random.ts";
import { headOf, setAuthorityLen, setKind, setStatusCode } from "./head.ts";
import { bytesOf, textAt } from "./text.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const REQUEST =
  "host: localhost\nupgrade: websocket\nconnection: Upgrade\nsec-websocket-key: " +
  KEY +
  "\nsec-websocket-version: 13";
const RESPONSE = "upgrade: websocket\nconnection: Upgrade\nsec-websocket-accept: " + ACCEPT;

function base64Of(text: string): string {
  const dest = heap.alloc(256);
  const len = String.UTF8.byteLength(text);
  return textAt(dest, writeBase64(dest, bytesOf(text), len));
}

function decodedLength(text: string): i32 {
  return base64DecodedLength(bytesOf(text), text.length);
}

/** The status of the valid request with one line put in another's place. */
function statusWith(line: string, replacement: string): i32 {
  return upgradeRequestStatus(headOf(REQUEST.replace(line, replacement)));
}

describe("base64", () => {
  test("the examples of RFC 4648 §10", () => {
    expect(base64Of("")).toBe("");
    expect(base64Of("f")).toBe("Zg==");
    expect(base64Of("fo")).toBe("Zm8=");
    expect(base64Of("foo")).toBe("Zm9v");
    expect(base64Of("foob")).toBe("Zm9vYg==");
    expect(base64Of("fooba")).toBe("Zm9vYmE=");
    expect(base64Of("foobar")).toBe("Zm9vYmFy");
  });

  test("all 64 characters", () => {
    const src = heap.alloc(48);
    // 0x00108310518720928b… is 0, 1, 2, 3, … in six bits each.
    for (let index: u32 = 0; index < 16; index++) {
      const four = index << 2;
      const bits = (four << 18) | ((four + 1) << 12) | ((four + 2) << 6) | (four + 3);
      store<u8>(src + index * 3, <u8>(bits >> 16), 0);
      store<u8>(src + index * 3, <u8>(bits >> 8), 1);
      store<u8>(src + index * 3, <u8>bits, 2);
    }
    const dest = heap.alloc(64);
    expect(textAt(dest, writeBase64(dest, src, 48))).toBe(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    );
  });

  test("what is written is read, at every length", () => {
    const src = heap.alloc(100);
    const dest = heap.alloc(200);
    seedRandom(51);
    fillRandom(src, 100);
    for (let len: u32 = 0; len < 100; len++) {
      expect(writeBase64(dest, src, len)).toBe(base64Length(len));
      expect(base64DecodedLength(dest, base64Length(len))).toBe(len);
    }
  });

  test("reading is strict", () => {
    expect(decodedLength("Zm9")).toBe(-1);
    expect(decodedLength("Zg=")).toBe(-1);
    expect(decodedLength("Z===")).toBe(-1);
    expect(decodedLength("====")).toBe(-1);
    expect(decodedLength("Zg==Zg==")).toBe(-1);
    expect(decodedLength("Zg=v")).toBe(-1);
    expect(decodedLength("Zm9-")).toBe(-1);
    expect(decodedLength("Zm9_")).toBe(-1);
    expect(decodedLength("Zm 9")).toBe(-1);
    expect(decodedLength("Zm9\n")).toBe(-1);
  });

  test("every byte in place of a character", () => {
    const text = bytesOf("AAAA");
    let accepted = "";
    for (let byte: u32 = 0; byte < 256; byte++) {
      store<u8>(text, <u8>byte, 1);
      if (base64DecodedLength(text, 4) >= 0) accepted += String.fromCharCode(byte);
    }
    expect(accepted).toBe("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  });
});

describe("key and accept", () => {
  test("the example of RFC 6455 §1.3", () => {
    const dest = heap.alloc(ACCEPT_BYTES);
    expect(writeAccept(dest, bytesOf(KEY))).toBe(ACCEPT_BYTES);
    expect(textAt(dest, ACCEPT_BYTES)).toBe(ACCEPT);
  });

  test("a key written from a nonce is a key", () => {
    const dest = heap.alloc(KEY_BYTES);
    expect(writeKey(dest, bytesOf("the sample nonce"))).toBe(KEY_BYTES);
    expect(textAt(dest, KEY_BYTES)).toBe(KEY);
    expect(isKey(dest, KEY_BYTES)).toBe(true);
  });

  test("a key of 15 or 17 bytes is none", () => {
    expect(isKey(bytesOf("AAAAAAAAAAAAAAAAAAAA"), 20)).toBe(false);
    expect(isKey(bytesOf("AAAAAAAAAAAAAAAAAAAAAAA="), 24)).toBe(false);
    expect(isKey(bytesOf("AAAAAAAAAAAAAAAAAAAAAAAA"), 24)).toBe(false);
  });
});

describe("the request", () => {
  test("a valid one", () => {
    const head = headOf(REQUEST);
    expect(upgradeRequestStatus(head)).toBe(Status.OK);
    expect(textAt(requestKeyPtr(head), KEY_BYTES)).toBe(KEY);
  });

  test("tokens in any case, in lists, in several lines", () => {
    expect(statusWith("upgrade: websocket", "upgrade: WebSocket")).toBe(Status.OK);
    expect(statusWith("upgrade: websocket", "upgrade: h2c, , websocket")).toBe(Status.OK);
    expect(statusWith("connection: Upgrade", "connection: keep-alive, UPGRADE")).toBe(Status.OK);
    expect(statusWith("connection: Upgrade", "connection: keep-alive\nconnection: upgrade")).toBe(Status.OK);
  });

  test("another method", () => {
    const head = headOf(REQUEST);
    setKind(head, Method.POST, Version.HTTP_1_1, MessageFlag.UPGRADE);
    expect(upgradeRequestStatus(head)).toBe(WsStatus.REQUEST_METHOD);
  });

  test("HTTP/1.0", () => {
    const head = headOf(REQUEST);
    setKind(head, Method.GET, Version.HTTP_1_0, MessageFlag.UPGRADE);
    expect(upgradeRequestStatus(head)).toBe(WsStatus.REQUEST_VERSION);
  });

  test("no host", () => {
    const head = headOf(REQUEST);
    setAuthorityLen(head, 0);
    expect(upgradeRequestStatus(head)).toBe(WsStatus.REQUEST_HOST);
  });

  test("content", () => {
    const head = headOf(REQUEST);
    setKind(head, Method.GET, Version.HTTP_1_1, MessageFlag.UPGRADE | MessageFlag.HAS_BODY);
    expect(upgradeRequestStatus(head)).toBe(WsStatus.REQUEST_CONTENT);
  });

  test("upgrade and connection that name something else", () => {
    expect(statusWith("upgrade: websocket\n", "")).toBe(WsStatus.REQUEST_UPGRADE);
    expect(statusWith("upgrade: websocket", "upgrade: websockets")).toBe(WsStatus.REQUEST_UPGRADE);
    expect(statusWith("upgrade: websocket", "upgrade: websocket/13")).toBe(WsStatus.REQUEST_UPGRADE);
    expect(statusWith("connection: Upgrade\n", "")).toBe(WsStatus.REQUEST_CONNECTION);
    expect(statusWith("connection: Upgrade", "connection: keep-alive")).toBe(WsStatus.REQUEST_CONNECTION);
  });

  test("another version, or not exactly one", () => {
    const line = "sec-websocket-version: 13";
    expect(statusWith("\n" + line, "")).toBe(WsStatus.REQUEST_WS_VERSION);
    expect(statusWith(line, "sec-websocket-version: 8")).toBe(WsStatus.REQUEST_WS_VERSION);
    expect(statusWith(line, "sec-websocket-version: 013")).toBe(WsStatus.REQUEST_WS_VERSION);
    expect(statusWith(line, "sec-websocket-version: 13, 8")).toBe(WsStatus.REQUEST_WS_VERSION);
    expect(statusWith(line, line + "\n" + line)).toBe(WsStatus.REQUEST_WS_VERSION);
  });

  test("no key, two keys, a wrong key", () => {
    const line = "sec-websocket-key: " + KEY;
    expect(statusWith(line + "\n", "")).toBe(WsStatus.REQUEST_KEY);
    expect(statusWith(line, line + "\n" + line)).toBe(WsStatus.REQUEST_KEY);
    expect(statusWith(KEY, "dGhlIHNhbXBsZSBub25jZQ")).toBe(WsStatus.REQUEST_KEY);
    expect(statusWith(KEY, "dGhlIHNhbXBsZSBub25jZ===")).toBe(WsStatus.REQUEST_KEY);
    expect(statusWith(KEY, "")).toBe(WsStatus.REQUEST_KEY);
  });

  test("the first broken rule is the one reported", () => {
    expect(upgradeRequestStatus(headOf("host: localhost"))).toBe(WsStatus.REQUEST_UPGRADE);
    expect(statusWith("sec-websocket-version: 13", "sec-websocket-protocol: ?")).toBe(
      WsStatus.REQUEST_WS_VERSION,
    );
  });

  test("malformed subprotocols and extensions", () => {
    expect(upgradeRequestStatus(headOf(REQUEST + "\nsec-websocket-protocol: a b"))).toBe(
      WsStatus.REQUEST_PROTOCOL,
    );
    expect(upgradeRequestStatus(headOf(REQUEST + "\nsec-websocket-extensions: a;;b"))).toBe(
      WsStatus.REQUEST_EXTENSIONS,
    );
    expect(upgradeRequestStatus(headOf(REQUEST + "\nsec-websocket-extensions: a; b=c, d"))).toBe(Status.OK);
  });

  test("extended CONNECT needs the version, no key and no upgrade", () => {
    const head = headOf("sec-websocket-version: 13\nsec-websocket-protocol: chat");
    setKind(head, Method.CONNECT, Version.HTTP_2, MessageFlag.CONNECT);
    expect(connectRequestStatus(head)).toBe(Status.OK);
    const old = headOf("sec-websocket-version: 12");
    setKind(old, Method.CONNECT, Version.HTTP_2, MessageFlag.CONNECT);
    expect(connectRequestStatus(old)).toBe(WsStatus.REQUEST_WS_VERSION);
    expect(connectRequestStatus(headOf("sec-websocket-version: 13"))).toBe(WsStatus.REQUEST_METHOD);
  });
});

describe("the response", () => {
  test("a valid one", () => {
    expect(upgradeResponseStatus(headOf(RESPONSE), bytesOf(KEY))).toBe(Status.OK);
    const other = headOf(RESPONSE.replace("websocket\n", "WebSocket\n"));
    expect(upgradeResponseStatus(other, bytesOf(KEY))).toBe(Status.OK);
  });

  test("another status code", () => {
    const head = headOf(RESPONSE);
    setStatusCode(head, 200);
    expect(upgradeResponseStatus(head, bytesOf(KEY))).toBe(WsStatus.RESPONSE_STATUS_CODE);
    expect(connectResponseStatus(head)).toBe(Status.OK);
    setStatusCode(head, 404);
    expect(connectResponseStatus(head)).toBe(WsStatus.RESPONSE_STATUS_CODE);
  });

  test("another upgrade or connection", () => {
    const list = headOf(RESPONSE.replace("websocket\n", "websocket, h2c\n"));
    expect(upgradeResponseStatus(list, bytesOf(KEY))).toBe(WsStatus.RESPONSE_UPGRADE);
    const kept = headOf(RESPONSE.replace("Upgrade", "keep-alive"));
    expect(upgradeResponseStatus(kept, bytesOf(KEY))).toBe(WsStatus.RESPONSE_CONNECTION);
  });

  test("an accept that does not match, is missing or comes twice", () => {
    const status = WsStatus.RESPONSE_ACCEPT;
    expect(upgradeResponseStatus(headOf(RESPONSE.replace("s3pP", "S3pP")), bytesOf(KEY))).toBe(status);
    expect(upgradeResponseStatus(headOf(RESPONSE.replace("xOo=", "xOo")), bytesOf(KEY))).toBe(status);
    expect(upgradeResponseStatus(headOf("upgrade: websocket\nconnection: upgrade"), bytesOf(KEY))).toBe(
      status,
    );
    expect(upgradeResponseStatus(headOf(RESPONSE + "="), bytesOf(KEY))).toBe(status);
    const twice = headOf(RESPONSE + "\nsec-websocket-accept: " + ACCEPT);
    expect(upgradeResponseStatus(twice, bytesOf(KEY))).toBe(status);
    expect(upgradeResponseStatus(headOf(RESPONSE), bytesOf("AAAAAAAAAAAAAAAAAAAAAA=="))).toBe(status);
  });
});

describe("subprotocols", () => {
  test("offered in lists and lines, compared byte by byte", () => {
    const head = headOf("sec-websocket-protocol: chat, v2.chat\nsec-websocket-protocol: ,graphql-ws");
    expect(subprotocolOfferStatus(head)).toBe(Status.OK);
    expect(isSubprotocolOffered(head, bytesOf("chat"), 4)).toBe(true);
    expect(isSubprotocolOffered(head, bytesOf("v2.chat"), 7)).toBe(true);
    expect(isSubprotocolOffered(head, bytesOf("graphql-ws"), 10)).toBe(true);
    expect(isSubprotocolOffered(head, bytesOf("Chat"), 4)).toBe(false);
    expect(isSubprotocolOffered(head, bytesOf("chat"), 3)).toBe(false);
    expect(isSubprotocolOffered(head, bytesOf(""), 0)).toBe(false);
    expect(isSubprotocolOffered(headOf("host: a"), bytesOf("chat"), 4)).toBe(false);
  });

  test("what is no list of tokens", () => {
    const values: StaticArray<string> = ["", ",", "a b", "a;b", "a, b=c", '"a"', "a,\u0001", "a/b"];
    for (let index = 0; index < values.length; index++) {
      const head = headOf("sec-websocket-protocol: " + values[index]);
      expect(subprotocolOfferStatus(head)).toBe(WsStatus.REQUEST_PROTOCOL, values[index]);
    }
    expect(subprotocolOfferStatus(headOf("host: a"))).toBe(Status.OK);
    expect(subprotocolOfferStatus(headOf("sec-websocket-protocol: a ,\t, b"))).toBe(Status.OK);
  });

  test("the answer names one of those offered, or none", () => {
    const offer = bytesOf("chat, superchat");
    const status = WsStatus.RESPONSE_PROTOCOL;
    expect(subprotocolAnswerStatus(headOf("host: a"), offer, 15)).toBe(Status.OK);
    expect(subprotocolAnswerStatus(headOf("sec-websocket-protocol: superchat"), offer, 15)).toBe(Status.OK);
    expect(subprotocolAnswerStatus(headOf("sec-websocket-protocol: super"), offer, 15)).toBe(status);
    expect(subprotocolAnswerStatus(headOf("sec-websocket-protocol: chat, superchat"), offer, 15)).toBe(
      status,
    );
    expect(subprotocolAnswerStatus(headOf("sec-websocket-protocol: chat"), offer, 0)).toBe(status);
    const twice = headOf("sec-websocket-protocol: chat\nsec-websocket-protocol: chat");
    expect(subprotocolAnswerStatus(twice, offer, 15)).toBe(status);
  });

  test("100 KB of offers", () => {
    const head = headOf("sec-websocket-protocol: " + "a,".repeat(50000) + "z");
    expect(subprotocolOfferStatus(head)).toBe(Status.OK);
    expect(isSubprotocolOffered(head, bytesOf("z"), 1)).toBe(true);
  });

  test("random bytes never trap", () => {
    seedRandom(52);
    const alphabet = 'ab,; \t="\\0';
    let wellFormed = 0;
    for (let run = 0; run < 5000; run++) {
      let value = "";
      for (let count = randomBelow(12); count > 0; count--) value += alphabet.charAt(randomBelow(10));
      const head = headOf("sec-websocket-protocol:" + value);
      if (subprotocolOfferStatus(head) == Status.OK) wellFormed++;
      isSubprotocolOffered(head, bytesOf("a"), 1);
    }
    expect(wellFormed).toBeGreaterThan(50);
  });
});
