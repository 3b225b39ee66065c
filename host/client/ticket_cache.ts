// Tickets of TLS 1.3 (RFC 8446 §4.6.1), by the server that gave them.
//
// Invariant: one is handed out once (RFC 8446 §C.4), and the servers that gave one longest ago are forgotten first.

const SERVERS_MOST = 256;

export class TicketCache {
  readonly #tickets = new Map<string, Uint8Array>();

  keep(server: string, ticket: Uint8Array): void {
    this.#tickets.delete(server);
    this.#tickets.set(server, ticket);
    if (this.#tickets.size <= SERVERS_MOST) return;
    const [oldest] = this.#tickets.keys();
    this.#tickets.delete(oldest as string);
  }

  /** The ticket for a server, which is forgotten by it; undefined when there is none. */
  take(server: string): Uint8Array | undefined {
    const ticket = this.#tickets.get(server);
    this.#tickets.delete(server);
    return ticket;
  }
}
