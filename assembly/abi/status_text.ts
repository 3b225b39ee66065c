/**
 * One short sentence per status, without the peer's bytes. Those that the engine itself sends, in error responses of HTTP/1.1 and in
 * GOAWAY of HTTP/2, are apart from the rest: only they take room in its module. The host's errors carry all of them.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
import { h3StatusText } from "./h3_status.ts";
import { qpackStatusText } from "./qpack_status.ts";
import { Status } from "./status.ts";
import { wsStatusText } from "./ws_status.ts";

/** Of statuses that a peer of HTTP/1.1 or HTTP/2 can be refused with; the empty string for others. */
export function wireStatusText(status: i32): string {
  switch (status) {
    case Status.CONNECTIONS_FULL:
      return "no room for another connection";
    case Status.EXCHANGES_FULL:
      return "no room for another exchange";
    case Status.MEMORY_FULL:
      return "the memory of the instance is full";
    case Status.H1_METHOD:
      return "invalid method";
    case Status.H1_METHOD_TOO_LONG:
      return "method too long";
    case Status.H1_TARGET:
      return "invalid request target";
    case Status.H1_TARGET_TOO_LONG:
      return "request target too long";
    case Status.H1_VERSION:
      return "invalid HTTP version";
    case Status.H1_VERSION_UNSUPPORTED:
      return "HTTP version not supported";
    case Status.H1_LINE_ENDING:
      return "a line does not end in CRLF";
    case Status.H1_FIELD_NAME:
      return "invalid field name";
    case Status.H1_FIELD_VALUE:
      return "invalid field value";
    case Status.H1_OBS_FOLD:
      return "obsolete line folding";
    case Status.H1_HEAD_TOO_LARGE:
      return "header section too large";
    case Status.H1_TOO_MANY_FIELDS:
      return "too many header fields";
    case Status.H1_STATUS_LINE:
      return "invalid status line";
    case Status.H1_TRANSFER_ENCODING_WITH_LENGTH:
      return "both transfer-encoding and content-length";
    case Status.H1_TRANSFER_ENCODING_VERSION:
      return "transfer-encoding in an HTTP/1.0 message";
    case Status.H1_TRANSFER_ENCODING_INVALID:
      return "chunked is not the single final transfer coding";
    case Status.H1_TRANSFER_ENCODING_UNSUPPORTED:
      return "transfer coding not implemented";
    case Status.H1_CHUNK_SIZE:
      return "invalid chunk size";
    case Status.H1_CHUNK_EXTENSION:
      return "invalid chunk extension";
    case Status.H1_CHUNK_EXTENSION_TOO_LARGE:
      return "chunk extensions too large";
    case Status.H1_CHUNK_TERMINATOR:
      return "chunk data does not end in CRLF";
    case Status.H1_TRAILERS_TOO_LARGE:
      return "trailer section too large";
    case Status.H1_UNEXPECTED_END:
      return "the connection ended inside a message";
    case Status.H1_UNEXPECTED_RESPONSE:
      return "a response without a request";
    case Status.HOST_MISSING:
      return "host is missing";
    case Status.HOST_DUPLICATE:
      return "host appears more than once";
    case Status.HOST_INVALID:
      return "invalid host";
    case Status.HOST_MISMATCH:
      return "host differs from the authority of the request target";
    case Status.CONTENT_LENGTH_INVALID:
      return "invalid content-length";
    case Status.CONTENT_LENGTH_DUPLICATE:
      return "content-length appears more than once";
    case Status.EXPECTATION_FAILED:
      return "expectation not supported";
    case Status.MISDIRECTED:
      return "misdirected request";
    case Status.BODY_TOO_LARGE:
      return "content too large";
    case Status.HEAD_TIMEOUT:
      return "the header section did not arrive in time";
    case Status.BODY_TIMEOUT:
      return "the content arrived too slowly";
    case Status.IDLE_TIMEOUT:
      return "the connection was idle for too long";
    case Status.WRITE_TIMEOUT:
      return "the peer stopped reading";
    case Status.LINGER_TIMEOUT:
      return "the peer did not close in time";
    case Status.H2_PREFACE:
      return "invalid connection preface";
    case Status.H2_FRAME_SIZE:
      return "a frame of the wrong size";
    case Status.H2_STREAM_ID:
      return "a frame on the wrong kind of stream";
    case Status.H2_STREAM_IDLE:
      return "a frame on an idle stream";
    case Status.H2_STREAM_CLOSED:
      return "a frame on a closed stream";
    case Status.H2_PADDING:
      return "padding longer than its frame";
    case Status.H2_SETTING:
      return "a setting outside its allowed range";
    case Status.H2_INITIAL_WINDOW:
      return "an initial window above its allowed range";
    case Status.H2_WINDOW_INCREMENT:
      return "a window update of nothing";
    case Status.H2_WINDOW_OVERFLOW:
      return "a flow-control window grew beyond its allowed range";
    case Status.H2_FLOW_CONTROL:
      return "more data than the flow-control window allows";
    case Status.H2_HEADER_BLOCK:
      return "a frame within a header block, or a continuation outside of one";
    case Status.H2_COMPRESSION:
      return "a header block that cannot be decoded";
    case Status.H2_DEPENDENCY:
      return "a stream that depends on itself";
    case Status.H2_PRIORITY:
      return "an invalid priority";
    case Status.H2_PUSH:
      return "a push that was not allowed";
    case Status.H2_REFUSED:
      return "the stream was refused before anybody acted on it";
    case Status.H2_CANCELLED:
      return "the peer reset the stream";
    case Status.H2_GONE:
      return "the peer went away before it acted on the stream";
    case Status.H2_SETTINGS_TIMEOUT:
      return "the settings were not acknowledged in time";
    case Status.H2_PING_TIMEOUT:
      return "the peer did not answer a ping";
    case Status.H2_STALLED:
      return "the peer left its flow-control window closed";
    case Status.H2_RESET_FLOOD:
      return "too many streams were reset";
    case Status.H2_REPLY_FLOOD:
      return "too many replies are waiting to be read";
    case Status.H2_EMPTY_FRAME_FLOOD:
      return "too many empty frames";
    case Status.H2_CONTROL_FLOOD:
      return "too many control frames";
    case Status.H2_HEADER_BLOCK_TOO_LARGE:
      return "a header block of too many bytes or frames";
    case Status.H2_HEADER_LIST_TOO_LARGE:
      return "field section too large";
    case Status.H2_TOO_MANY_FIELDS:
      return "too many fields";
    case Status.H2_FIELD_NAME:
      return "invalid field name";
    case Status.H2_FIELD_VALUE:
      return "invalid field value";
    case Status.H2_FIELD_FORBIDDEN:
      return "a field that belongs to another version of HTTP";
    case Status.H2_PSEUDO_FIELD:
      return "pseudo-fields missing, repeated, misplaced or unknown";
    case Status.H2_TARGET:
      return "invalid request target";
    case Status.H2_CONTENT_LENGTH:
      return "content-length differs from the content";
    case Status.H2_TRAILERS:
      return "a field section that does not end its message";
  }
  return "";
}

/** Of any status. */
export function statusText(status: i32): string {
  switch (status) {
    case Status.INVALID_HANDLE:
      return "the handle is stale or was never given out";
    case Status.INVALID_STATE:
      return "the call does not fit the state of the connection or exchange";
    case Status.INVALID_ARGUMENT:
      return "an argument is outside its allowed range";
    case Status.OUT_OF_BOUNDS:
      return "a pointer and length leave the region they belong to";
    case Status.NOT_INITIALIZED:
      return "the instance has not been initialized";
    case Status.WOULD_BLOCK:
      return "nothing can be taken now; wait for the writable event";
    case Status.FIELD_NAME_INVALID:
      return "a field name is not a token";
    case Status.FIELD_VALUE_INVALID:
      return "a field value contains a control character or leading or trailing whitespace";
    case Status.FIELD_FORBIDDEN:
      return "a field belongs to the message framing, which the engine writes";
    case Status.BODY_LONGER_THAN_DECLARED:
      return "the body is longer than its declared length";
    case Status.BODY_SHORTER_THAN_DECLARED:
      return "the body is shorter than its declared length";
    case Status.BODY_NOT_ALLOWED:
      return "this response cannot have a body";
    case Status.STATUS_CODE_INVALID:
      return "the status code is outside its allowed range";
    case Status.METHOD_INVALID:
      return "the method is not a token";
    case Status.TARGET_INVALID:
      return "the request target contains a forbidden character";
    case Status.FIELDS_TOO_LARGE:
      return "the field section is larger than the output can hold";
    case Status.QUIC_FLOW_CONTROL:
      return "more data than the flow-control window allows";
    case Status.QUIC_STREAM_LIMIT:
      return "the stream was refused before anybody acted on it";
    case Status.QUIC_STREAM_STATE:
      return "a frame for a stream that cannot have it";
    case Status.QUIC_FINAL_SIZE:
      return "a final size that changed or was passed";
    case Status.QUIC_STREAM_OFFSET:
      return "a stream longer than a stream can be";
    case Status.QUIC_STREAM_COUNT:
      return "a limit of more streams than there can be";
    case Status.QUIC_STREAM_FRAGMENTS:
      return "a stream in too many fragments";
    case Status.QUIC_DATAGRAM:
      return "a datagram that was not allowed";
  }
  if (status <= -800 && status > -850) return h3StatusText(status);
  if (status <= -850 && status >= -879) return qpackStatusText(status);
  const text = wireStatusText(status);
  return text !== "" ? text : wsStatusText(status);
}
