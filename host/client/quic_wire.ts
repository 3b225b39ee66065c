// The transport of a carrier on a connection of QUIC, which shares its endpoint's socket with others.

import type { ClientEngine } from "./client_engine.ts";
import type { ClientEndpoint } from "./quic_links.ts";
import type { Wire } from "./engine_carrier.ts";

/** H3_NO_ERROR (RFC 9114 §8.1). */
const NO_ERROR = 0x100n;

export class QuicWire implements Wire {
  readonly #client: ClientEngine;
  readonly #handle: number;
  readonly #endpoint: ClientEndpoint;
  #isHeld = false;

  constructor(client: ClientEngine, handle: number, endpoint: ClientEndpoint) {
    this.#client = client;
    this.#handle = handle;
    this.#endpoint = endpoint;
  }

  transmit(): void {
    this.#endpoint.endpoint.flushLater();
  }

  pause(): void {
    // QUIC's flow control holds the peer back.
  }

  resume(): void {
    // As above.
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.#client.guarded(() => {
      this.#client.engine.quic.close(this.#handle, NO_ERROR, "", this.#client.now());
    });
    this.#endpoint.endpoint.flushLater();
  }

  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    this.#endpoint.hold(isHeld);
  }
}
