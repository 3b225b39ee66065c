// The fields of the usual reply, a content type and perhaps alt-svc, as blocks that stay in an engine's memory.
//
// The region for them is small and never freed: once it is full, replies with other types send their fields each time.

import type { Engine, PinnedFields } from "../engine/index.ts";

/** What one block takes at most, with room to spare; beyond it nothing more is pinned. */
const PIN_BYTES = 512;

type Blocks = Map<string | null, PinnedFields>;

export class UsualFields {
  readonly #engine: Engine;
  readonly #bare: Blocks = new Map();
  /** The same with the alt-svc that is sent at present. */
  #withAltSvc: Blocks = new Map();
  #altSvc: string | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A block with these fields and no others; null when there is no room for more. */
  with(contentType: string | null, altSvc: string | null): PinnedFields | null {
    if (altSvc !== null && altSvc !== this.#altSvc) {
      this.#altSvc = altSvc;
      this.#withAltSvc = new Map();
    }
    const blocks = altSvc === null ? this.#bare : this.#withAltSvc;
    const known = blocks.get(contentType);
    if (known !== undefined) return known;
    const length = (contentType?.length ?? 0) + (altSvc?.length ?? 0);
    if (this.#engine.pinnedRoom < PIN_BYTES || length > PIN_BYTES / 2) return null;
    const fields: [string, string][] = [];
    if (contentType !== null) fields.push(["content-type", contentType]);
    if (altSvc !== null) fields.push(["alt-svc", altSvc]);
    const pinned = this.#engine.pin(fields);
    blocks.set(contentType, pinned);
    return pinned;
  }
}
