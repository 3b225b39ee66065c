/**
 * Statuses of WebSocket, -450 … -499 of the one list that begins in abi/status.ts: why a peer's frame or handshake was refused.
 * All of them blame the peer.
 *
 * Two total functions say what goes on the wire: the close code for what goes wrong on an open WebSocket (RFC 6455 §7.4.1), and
 * the HTTP status code for what goes wrong in its handshake (§4.2.1, §4.4). Numbers are never renumbered or reused.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum WsStatus {
  // Frames, RFC 6455 §5.
  RESERVED_BITS = -450,
  OPCODE = -451,
  CONTINUATION_UNEXPECTED = -452,
  CONTINUATION_EXPECTED = -453,
  CONTROL_FRAGMENTED = -454,
  CONTROL_TOO_LONG = -455,
  NOT_MASKED = -456,
  MASKED = -457,
  LENGTH_NOT_MINIMAL = -458,
  LENGTH_INVALID = -459,
  MESSAGE_TOO_LARGE = -460,
  TOO_MANY_FRAGMENTS = -461,
  TEXT_INVALID = -462,
  CLOSE_BODY = -463,
  CLOSE_CODE = -464,
  CLOSE_REASON = -465,
  DEFLATE_INVALID = -466,
  UNEXPECTED_END = -467,
  CLOSE_TIMEOUT = -468,
  PING_TIMEOUT = -469,

  // The opening handshake as the server reads it, RFC 6455 §4.2.1.
  REQUEST_METHOD = -470,
  REQUEST_VERSION = -471,
  REQUEST_HOST = -472,
  REQUEST_CONTENT = -473,
  REQUEST_UPGRADE = -474,
  REQUEST_CONNECTION = -475,
  REQUEST_KEY = -476,
  REQUEST_WS_VERSION = -477,
  REQUEST_PROTOCOL = -478,
  REQUEST_EXTENSIONS = -479,

  // The server's answer as the client reads it, RFC 6455 §4.1.
  RESPONSE_STATUS_CODE = -485,
  RESPONSE_UPGRADE = -486,
  RESPONSE_CONNECTION = -487,
  RESPONSE_ACCEPT = -488,
  RESPONSE_PROTOCOL = -489,
  RESPONSE_EXTENSIONS = -490,
}

/** Close codes that the engine itself sends or reports, RFC 6455 §7.4.1. */
export const enum CloseCode {
  NORMAL = 1000,
  GOING_AWAY = 1001,
  PROTOCOL_ERROR = 1002,
  /** Never on the wire: the peer's close frame had no code. */
  NO_STATUS = 1005,
  /** Never on the wire: the connection ended without a close frame. */
  ABNORMAL = 1006,
  INVALID_DATA = 1007,
  POLICY_VIOLATION = 1008,
  MESSAGE_TOO_BIG = 1009,
  INTERNAL_ERROR = 1011,
}

/** The close code for a status. Total: what has no code of its own is a protocol error. */
export function closeCodeOf(status: i32): i32 {
  switch (status) {
    case WsStatus.TEXT_INVALID:
    case WsStatus.CLOSE_REASON:
    case WsStatus.DEFLATE_INVALID:
      return CloseCode.INVALID_DATA;
    case WsStatus.TOO_MANY_FRAGMENTS:
      return CloseCode.POLICY_VIOLATION;
    case WsStatus.MESSAGE_TOO_LARGE:
      return CloseCode.MESSAGE_TOO_BIG;
    case WsStatus.UNEXPECTED_END:
    case WsStatus.CLOSE_TIMEOUT:
    case WsStatus.PING_TIMEOUT:
      return CloseCode.ABNORMAL;
  }
  return CloseCode.PROTOCOL_ERROR;
}

/**
 * The HTTP status code that refuses a handshake. Total: what has no code of its own is 400. With 405 goes `allow: GET`; with
 * 426 go `upgrade: websocket` and `sec-websocket-version: 13` (RFC 6455 §4.4, RFC 9110 §15.5.22).
 */
export function handshakeHttpStatusOf(status: i32): i32 {
  switch (status) {
    case WsStatus.REQUEST_METHOD:
      return 405;
    case WsStatus.REQUEST_UPGRADE:
    case WsStatus.REQUEST_WS_VERSION:
      return 426;
  }
  return 400;
}

/** One short sentence per status, without the peer's bytes. */
export function wsStatusText(status: i32): string {
  switch (status) {
    case WsStatus.RESERVED_BITS:
      return "a reserved bit is set";
    case WsStatus.OPCODE:
      return "unknown opcode";
    case WsStatus.CONTINUATION_UNEXPECTED:
      return "a continuation frame outside of a message";
    case WsStatus.CONTINUATION_EXPECTED:
      return "a new message inside a fragmented one";
    case WsStatus.CONTROL_FRAGMENTED:
      return "a control frame is fragmented";
    case WsStatus.CONTROL_TOO_LONG:
      return "a control frame is longer than 125 bytes";
    case WsStatus.NOT_MASKED:
      return "a frame from a client is not masked";
    case WsStatus.MASKED:
      return "a frame from a server is masked";
    case WsStatus.LENGTH_NOT_MINIMAL:
      return "a payload length is not in its shortest form";
    case WsStatus.LENGTH_INVALID:
      return "a payload length has its highest bit set";
    case WsStatus.MESSAGE_TOO_LARGE:
      return "message too large";
    case WsStatus.TOO_MANY_FRAGMENTS:
      return "a message has too many fragments";
    case WsStatus.TEXT_INVALID:
      return "a text message is not UTF-8";
    case WsStatus.CLOSE_BODY:
      return "a close frame has a body of one byte";
    case WsStatus.CLOSE_CODE:
      return "a close code must not be sent";
    case WsStatus.CLOSE_REASON:
      return "a close reason is not UTF-8";
    case WsStatus.DEFLATE_INVALID:
      return "a compressed message cannot be inflated";
    case WsStatus.UNEXPECTED_END:
      return "the connection ended without a close frame";
    case WsStatus.CLOSE_TIMEOUT:
      return "the peer did not answer the close frame in time";
    case WsStatus.PING_TIMEOUT:
      return "the peer did not answer a ping in time";
    case WsStatus.REQUEST_METHOD:
      return "a WebSocket handshake uses GET";
    case WsStatus.REQUEST_VERSION:
      return "a WebSocket handshake needs HTTP/1.1";
    case WsStatus.REQUEST_HOST:
      return "host is missing";
    case WsStatus.REQUEST_CONTENT:
      return "a WebSocket handshake has no content";
    case WsStatus.REQUEST_UPGRADE:
      return "upgrade does not name websocket";
    case WsStatus.REQUEST_CONNECTION:
      return "connection does not name upgrade";
    case WsStatus.REQUEST_KEY:
      return "sec-websocket-key is not 16 bytes in base64, once";
    case WsStatus.REQUEST_WS_VERSION:
      return "sec-websocket-version is not 13";
    case WsStatus.REQUEST_PROTOCOL:
      return "sec-websocket-protocol is not a list of tokens";
    case WsStatus.REQUEST_EXTENSIONS:
      return "invalid sec-websocket-extensions";
    case WsStatus.RESPONSE_STATUS_CODE:
      return "the server did not switch protocols";
    case WsStatus.RESPONSE_UPGRADE:
      return "the server's upgrade is not websocket";
    case WsStatus.RESPONSE_CONNECTION:
      return "the server's connection does not name upgrade";
    case WsStatus.RESPONSE_ACCEPT:
      return "sec-websocket-accept does not match the key";
    case WsStatus.RESPONSE_PROTOCOL:
      return "the server chose a subprotocol that was not offered";
    case WsStatus.RESPONSE_EXTENSIONS:
      return "the server's extensions do not answer the offer";
  }
  return "unknown status";
}
