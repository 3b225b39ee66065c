// A connection of the bare engine that is fed byte by byte, and says what it is told.
import { Engine, loadModule, Protocol, Role, SendFlag, statusText } from "./httpy.js";

const encoder = new TextEncoder();

export class Steps {
  #engine;
  #connection;
  #offset = 0;
  /** One line for each thing that the engine told. */
  events = [];
  /** What it sent, as text of code units 0 to 255. */
  sent = "";

  static async create(options) {
    return new Steps(await loadModule(), options);
  }

  constructor(module, options = {}) {
    this.#engine = Engine.create(module, { memoryBytes: 32 * 1024 * 1024, now: 0, ...options });
    this.#connection = this.#engine.doors.openConnection(Protocol.HTTP_1, Role.SERVER, 0, 0);
  }

  /** Bytes that were taken so far. */
  get offset() {
    return this.#offset;
  }

  /** Gives the engine one byte. */
  feed(byte) {
    this.#engine.receiveBuffer[0] = byte;
    this.#engine.doors.receive(this.#connection, 0, 1, this.#offset);
    this.#offset++;
    this.#engine.readEvents(this.#sink);
    for (let length; (length = this.#engine.pollTransmit(this.#connection)) > 0;) {
      this.sent += this.#engine.transmittedText(length);
    }
    this.#engine.readEvents(this.#sink);
  }

  #tell(line) {
    this.events.push(`after byte ${this.#offset}: ${line}`);
  }

  /** What the engine calls; the names are those of its events. */
  #sink = {
    request: (_connection, exchange, head) => {
      this.#tell(`request ${head.method} ${head.target} ${head.protocol}`);
      for (const [name, value] of head.fields()) this.#tell(`  field ${name}: ${value}`);
      if (head.hasBody) this.#engine.doors.readBody(exchange, 0, this.#offset);
      else this.#answer(exchange);
    },
    body: (_connection, exchange, bytes, isEnd) => {
      this.#tell(`content ${JSON.stringify(String.fromCharCode(...bytes))}${isEnd ? ", the last" : ""}`);
      if (isEnd) this.#answer(exchange);
      else this.#engine.doors.readBody(exchange, bytes.length, this.#offset);
    },
    end: (_connection, exchange) => {
      this.#tell("the content is complete");
      this.#answer(exchange);
    },
    aborted: (_connection, exchange, status) => {
      this.#tell(`the request is cut: ${statusText(status)}`);
      this.#engine.doors.releaseExchange(exchange);
    },
    close: (_connection, status, abort) => {
      this.#tell(`the connection is to be closed${abort ? " at once" : ""}: ${statusText(status)}`);
    },
    response: () => {},
    informational: () => {},
    peerEnded: () => {},
    writable: () => {},
    tunnel: () => {},
    transmit: () => {},
    readPause: () => this.#tell("stop reading"),
    readResume: () => this.#tell("go on reading"),
  };

  #answer(exchange) {
    const body = encoder.encode("Taken apart and answered.\n");
    this.#engine.respond(exchange, 200, [["content-type", "text/plain"]], body, SendFlag.RELEASE);
  }
}
