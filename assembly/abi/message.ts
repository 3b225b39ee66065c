/**
 * The message head: how the engine shows a received head to the host, the same for every version of HTTP.
 *
 * A head is a block of u32 lanes, followed elsewhere by its field records and bytes. Offsets in field records count from
 * BYTES_PTR, so that a block can move while it is assembled. A lane that does not apply is zero. The block is valid until
 * the exchange is released, except in INFORMATIONAL events.
 *
 *   field record, 4 lanes:
 *        +-------------------+-------------+--------------+-----------+
 *        | nameId : nameLen  | nameOffset  | valueOffset  | valueLen  |
 *        | u16    : u16      | u32         | u32          | u32       |
 *        +-------------------+-------------+--------------+-----------+
 *
 * `nameId` is a FieldName (abi/field_name.ts); the bytes of such a name may be in any case. It is 0 for a name without a number,
 * whose bytes are in lower case.
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum MessageLane {
  /** Exchange handle. */
  HANDLE = 0,
  /** bits 0–7 Method, 8–15 Version, 16–31 MessageFlag. */
  KIND = 1,
  METHOD_PTR = 2,
  METHOD_LEN = 3,
  TARGET_PTR = 4,
  TARGET_LEN = 5,
  /** Host or :authority, from the request target where that is in absolute-form. */
  AUTHORITY_PTR = 6,
  AUTHORITY_LEN = 7,
  BYTES_PTR = 8,
  FIELDS_PTR = 9,
  FIELD_COUNT = 10,
  /** Content length as two lanes, low first; all ones when unknown. */
  CONTENT_LENGTH_LOW = 11,
  CONTENT_LENGTH_HIGH = 12,
  TRAILER_BYTES_PTR = 13,
  TRAILER_FIELDS_PTR = 14,
  TRAILER_COUNT = 15,
  /** Status code of a response. */
  STATUS_CODE = 16,
  /** Stream identifier; in HTTP/1.1 the ordinal of the exchange on its connection. */
  STREAM_ID = 17,
  COUNT = 18,
}

export const enum FieldLane {
  NAME = 0,
  NAME_OFFSET = 1,
  VALUE_OFFSET = 2,
  VALUE_LEN = 3,
  COUNT = 4,
}

export const enum Version {
  NONE = 0,
  HTTP_1_0 = 1,
  HTTP_1_1 = 2,
  HTTP_2 = 3,
  HTTP_3 = 4,
}

export const enum MessageFlag {
  NONE = 0,
  /** Content follows (or may follow: chunked, or until close). */
  HAS_BODY = 1,
  /** `expect: 100-continue`: the engine sends 100 when the host first asks for the content. */
  EXPECT_CONTINUE = 2,
  /** CONNECT: the host answers 2xx with SendFlag.TUNNEL, or refuses. */
  CONNECT = 4,
  /** `connection: upgrade` with an `upgrade` field: the host may answer 101 with SendFlag.TUNNEL. */
  UPGRADE = 8,
  /** The request target was in absolute-form. */
  ABSOLUTE_FORM = 16,
  /** The connection closes after this exchange. */
  LAST = 32,
  /** HTTP/2: nobody asked; the request was promised by a push. */
  PUSHED = 64,
  /** HTTP/3: it came in early data (RFC 8470), so it may be a replay. Its method is safe. */
  EARLY_DATA = 128,
}

/** The role that the engine plays on a connection. */
export const enum Role {
  SERVER = 0,
  CLIENT = 1,
}

/** What the engine is told of the transport when a connection is opened. */
export const enum Protocol {
  /** HTTP/1.1. A server also takes HTTP/2 on it, by prior knowledge or by upgrade (RFC 9113 §3.3, RFC 7540 §3.2). */
  HTTP_1 = 1,
  HTTP_2 = 2,
  /** QUIC with streams of the host's own; not opened by `openConnection`. */
  QUIC = 3,
  /** HTTP/3, on a connection of QUIC that has chosen it. */
  HTTP_3 = 4,
}

/** How a connection is opened. */
export const enum OpenFlag {
  NONE = 0,
  /** The transport is TLS: the scheme of requests is https. */
  SECURE = 1,
  /** HTTP/2 and HTTP/3: announces extended CONNECT (RFC 8441, RFC 9220). */
  EXTENDED_CONNECT = 2,
  /** HTTP/2, client: lets the server push. */
  PUSH = 4,
  /** HTTP/3: announces WebTransport, for which extended CONNECT is to be announced too. */
  WEBTRANSPORT = 8,
}

/** Flags of the sending commands. */
export const enum SendFlag {
  NONE = 0,
  /** Nothing follows: the message is complete with these bytes. */
  END = 1,
  /** The connection closes after this exchange. */
  CLOSE = 2,
  /** The answer opens a tunnel: 101, or 2xx to CONNECT. */
  TUNNEL = 4,
  /** The host needs nothing more of the exchange: free it once it is complete. */
  RELEASE = 8,
  /** Trailers will follow the content. */
  TRAILERS = 16,
}

/** Content between two pieces of framing that `frameBody` makes where there are several: what every peer of HTTP/2 takes. */
export const FRAMED_CONTENT_BYTES: u32 = 16384;

/** A content length that is not known when the head is sent. */
export const UNKNOWN_LENGTH: number = -1;

export const enum Method {
  OTHER = 0,
  GET = 1,
  HEAD = 2,
  POST = 3,
  PUT = 4,
  DELETE = 5,
  CONNECT = 6,
  OPTIONS = 7,
  TRACE = 8,
  PATCH = 9,
  COUNT = 10,
}

/** By Method; the first is empty. */
export const METHOD_NAMES: string[] = [
  "",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
];
