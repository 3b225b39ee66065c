// The events of a WebSocket client that not every runtime has classes for.

/** The end of a WebSocket, as the standard's CloseEvent tells it. */
export class WebSocketCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(code: number, reason: string, wasClean: boolean) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

/** Why a WebSocket failed. */
export class WebSocketErrorEvent extends Event {
  readonly error: Error;

  constructor(error: Error) {
    super("error");
    this.error = error;
  }
}
