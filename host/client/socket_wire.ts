// The transport of a carrier on a socket of node:net or node:tls.
//
// Each chunk is copied to where the engine reads. While the socket takes nothing, nothing is polled from the engine, so that what
// waits for a slow server waits in one place, with one limit.

import type { Socket } from "node:net";
import { Status } from "../engine/index.ts";
import type { ClientEngine } from "./client_engine.ts";
import type { EngineCarrier, Wire } from "./engine_carrier.ts";

/** Output up to this size is written as text, which node hands to the kernel without making a buffer. */
const TEXT_WRITE_BYTES = 8192;

/** What `resetAndDestroy` sets to have the handle reset rather than closed; without effect where it is not known. */
interface ResettableSocket extends Socket {
  resetAndClosing?: boolean;
}

export class SocketWire implements Wire {
  readonly #socket: Socket;
  /** The same, or what is below its TLS. */
  readonly #tcp: ResettableSocket;
  readonly #client: ClientEngine;
  readonly #handle: number;
  #isBlocked = false;
  #isClosed = false;

  constructor(socket: Socket, tcp: Socket, client: ClientEngine, handle: number) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#client = client;
    this.#handle = handle;
  }

  /** Begins to read. To be called once. */
  start(carrier: EngineCarrier): void {
    const socket = this.#socket;
    const client = this.#client;
    const { doors } = client.engine;
    let failure: Error | null = null;
    socket.on("data", (chunk: Buffer) => {
      client.run(carrier, () => this.#receive(chunk));
      carrier.received();
    });
    socket.on("end", () => client.run(carrier, () => this.#receiveEnd()));
    socket.on("drain", () => {
      if (!this.#isBlocked) return;
      this.#isBlocked = false;
      client.run(carrier, () => void doors.transmitDrained(this.#handle, client.now()));
    });
    socket.on("error", (error) => (failure ??= error));
    socket.on("close", () => {
      this.#isClosed = true;
      carrier.disconnected(failure);
    });
    // What the client has to say first, in HTTP/2.
    client.flushLater(carrier);
  }

  transmit(): void {
    const { engine } = this.#client;
    while (!this.#isBlocked && !this.#isClosed) {
      const length = engine.pollTransmit(this.#handle);
      if (length <= 0) return;
      const accepted =
        length <= TEXT_WRITE_BYTES
          ? this.#socket.write(engine.transmittedText(length), "latin1")
          : this.#socket.write(engine.transmitted(length).slice());
      if (accepted) continue;
      this.#isBlocked = true;
      engine.doors.transmitBlocked(this.#handle, this.#client.now());
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    // What a server may still have to say after the last response is of no use, so nobody waits for its end.
    const socket = this.#socket;
    socket.end(() => socket.destroy());
  }

  destroy(): void {
    const socket = this.#socket;
    // A server must not take this for a client that has said everything and waits for its answer. Not by `resetAndDestroy`, which
    // first ends the stream; other handles than TCP's cannot be reset.
    if (!socket.writableEnded) this.#tcp.resetAndClosing = true;
    socket.destroy();
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref();
    else this.#socket.unref();
  }

  #receive(chunk: Buffer): void {
    const client = this.#client;
    const { engine } = client;
    const region = engine.receiveBuffer;
    for (let from = 0; from < chunk.length; from += region.length) {
      const part = chunk.subarray(from, from + region.length);
      region.set(part);
      for (let offset = 0; offset < part.length && !this.#isClosed;) {
        const taken = engine.doors.receive(this.#handle, offset, part.length - offset, client.now());
        engine.readEvents(client);
        if (taken < 0) return this.destroy();
        offset += taken;
      }
    }
  }

  #receiveEnd(): void {
    const client = this.#client;
    const { doors } = client.engine;
    while (doors.receiveEnd(this.#handle, client.now()) === Number(Status.WOULD_BLOCK)) {
      if (!client.engine.hasEvents) return;
      client.engine.readEvents(client);
    }
  }
}
