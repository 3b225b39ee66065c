// A server of the engine with a client made of bytes: what the wire tests of HTTP/2 have in common.

import { Protocol, Role } from "../../assembly/abi/message.ts";
import { Driver } from "./driver.ts";
import type { Connection, DriverOptions, Handler, Message } from "./driver.ts";
import { describeFrame, PREFACE, readFrames, settings, settingsAck } from "./h2_frames.ts";
import type { Frame } from "./h2_frames.ts";

/** Answers every request, once it is complete, with the length of its content; ends what was cut. */
export const answering: Handler = {
  complete(message, driver) {
    driver.answer(message, 200, `${message.body.length}`);
    driver.release(message);
  },
};

export class H2Server {
  readonly driver: Driver;
  readonly connection: Connection;
  #seen = 0;

  constructor(options: DriverOptions & { flags?: number; clientSettings?: [number, number][] } = {}) {
    this.driver = new Driver({ handler: answering, ...options });
    this.connection = this.driver.open(Role.SERVER, options.flags ?? 0, Protocol.HTTP_2);
    this.feed(PREFACE, settings(options.clientSettings ?? []));
    this.feed(settingsAck);
    this.frames();
  }

  feed(...bytes: Uint8Array[]): this {
    this.driver.feed(this.connection, Buffer.concat(bytes));
    return this;
  }

  /** Frames sent since the last call. */
  frames(): Frame[] {
    const frames = readFrames(this.connection.sent.subarray(this.#seen));
    this.#seen = this.connection.sent.length;
    return frames;
  }

  /** The same, a line each. */
  lines(): string[] {
    return this.frames().map(describeFrame);
  }

  /** The socket takes nothing for now, or takes everything again. */
  block(isBlocked: boolean): void {
    this.connection.isBlocked = isBlocked;
    const { doors } = this.driver.engine;
    if (isBlocked) doors.transmitBlocked(this.connection.handle, this.driver.now);
    else doors.transmitDrained(this.connection.handle, this.driver.now);
    this.driver.settle(this.connection);
  }

  message(index: number): Message {
    const message = this.connection.messages[index];
    if (message === undefined) throw new Error(`there is no message ${index}`);
    return message;
  }
}
