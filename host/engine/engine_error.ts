// Errors of the engine as JavaScript errors: one class, one place where the text is made.
//
// The engine answers statuses (assembly/abi/status.ts). Most are data to the server room, which acts on them; those that
// reach a developer become an EngineError with a stable `code`, the layer and who is to blame.

import { Blame, blameOf, httpStatusOf, Status } from "../../assembly/abi/status.ts";
import { statusText } from "../../assembly/abi/status_text.ts";

/** Which layer raised a status. */
export type Layer =
  "host" | "http1" | "message" | "deadline" | "websocket" | "http2" | "tls" | "quic" | "http3";

const CODES = new Map<number, string>([
  [Status.INVALID_HANDLE, "ERR_HTTPY_HANDLE"],
  [Status.INVALID_STATE, "ERR_HTTPY_STATE"],
  [Status.INVALID_ARGUMENT, "ERR_HTTPY_ARGUMENT"],
  [Status.OUT_OF_BOUNDS, "ERR_HTTPY_BOUNDS"],
  [Status.CONNECTIONS_FULL, "ERR_HTTPY_CONNECTIONS_FULL"],
  [Status.EXCHANGES_FULL, "ERR_HTTPY_EXCHANGES_FULL"],
  [Status.MEMORY_FULL, "ERR_HTTPY_MEMORY_FULL"],
  [Status.FIELD_NAME_INVALID, "ERR_HTTPY_FIELD_NAME"],
  [Status.FIELD_VALUE_INVALID, "ERR_HTTPY_FIELD_VALUE"],
  [Status.FIELD_FORBIDDEN, "ERR_HTTPY_FIELD_FORBIDDEN"],
  [Status.BODY_LONGER_THAN_DECLARED, "ERR_HTTPY_BODY_TOO_LONG"],
  [Status.BODY_SHORTER_THAN_DECLARED, "ERR_HTTPY_BODY_TOO_SHORT"],
  [Status.BODY_NOT_ALLOWED, "ERR_HTTPY_BODY_NOT_ALLOWED"],
  [Status.STATUS_CODE_INVALID, "ERR_HTTPY_STATUS_CODE"],
  [Status.H1_UNEXPECTED_END, "ERR_HTTPY_PEER_GONE"],
  [Status.BODY_TOO_LARGE, "ERR_HTTPY_BODY_TOO_LARGE"],
  [Status.BODY_TIMEOUT, "ERR_HTTPY_BODY_TIMEOUT"],
  [Status.WRITE_TIMEOUT, "ERR_HTTPY_WRITE_TIMEOUT"],
]);

/** An error of the engine or of the peer, as a handler sees it. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  /** Stable name for programs. */
  readonly code: string;
  /** The engine's status, negative (assembly/abi/status.ts). */
  readonly status: number;
  readonly layer: Layer;
  readonly blame: "host" | "peer" | "resource";
  /** The HTTP status code that answers it. */
  readonly httpStatus: number;

  constructor(status: number, context?: string) {
    super(context === undefined ? statusText(status) : `${context}: ${statusText(status)}`);
    this.code = CODES.get(status) ?? "ERR_HTTPY_PROTOCOL";
    this.status = status;
    this.layer = layerOf(status);
    this.blame = blameName(status);
    this.httpStatus = httpStatusOf(status);
  }
}

/** Answers `result` when it is a count or a handle, throws when it is a status. */
export function checked(result: number, context: string): number {
  if (result < 0) throw new EngineError(result, context);
  return result;
}

function layerOf(status: number): Layer {
  if (status > -100) return "host";
  if (status > -200) return "http1";
  if (status > -300) return "message";
  if (status > -400) return "deadline";
  if (status > -500) return "websocket";
  if (status > -600) return "http2";
  if (status > -700) return "tls";
  return status > -800 ? "quic" : "http3";
}

function blameName(status: number): "host" | "peer" | "resource" {
  const blame = blameOf(status);
  if (blame === Blame.PEER) return "peer";
  return blame === Blame.RESOURCE ? "resource" : "host";
}
