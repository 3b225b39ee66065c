// The header lines of a reply: a small ordered multi-map of lower-case names.
//
// Replies carry a handful of lines, so a flat list beats a map. `content-type` is not kept here: it lives in
// the reply's `contentType`, which the hot path reads without touching this class, and every access by name is
// led there. Iteration therefore never yields it.
//
// Invariant: names and values in the list passed field.ts.

import { fieldName, valueOfField } from "./field.ts";

/** Where `content-type` is kept. */
export interface ContentTypeOwner {
  contentType: string | null;
}

/** An ordered multi-map of header lines; names are lower-cased, names and values validated when set. */
export class ReplyHeaders {
  readonly #owner: ContentTypeOwner;
  /** name, value, name, value … */
  readonly #lines: string[] = [];

  constructor(owner: ContentTypeOwner) {
    this.#owner = owner;
  }

  /** Replaces every line of this name by one. */
  set(name: string, value: string | number): this {
    const lower = fieldName(name);
    const text = valueOfField(lower, value);
    if (lower === "content-type") {
      this.#owner.contentType = text;
      return this;
    }
    const first = this.#indexOf(lower, 0);
    if (first < 0) {
      this.#lines.push(lower, text);
      return this;
    }
    this.#lines[first + 1] = text;
    this.#removeFrom(lower, first + 2);
    return this;
  }

  /** Adds a line, keeping those of the same name. `content-type` is replaced: it has one value. */
  append(name: string, value: string | number): this {
    const lower = fieldName(name);
    if (lower === "content-type") return this.set(lower, value);
    this.#lines.push(lower, valueOfField(lower, value));
    return this;
  }

  /** The lines of this name joined by `, `, or null. For `set-cookie` use `getAll`. */
  get(name: string): string | null {
    const all = this.getAll(name);
    return all.length === 0 ? null : all.join(", ");
  }

  /** The value of each line of this name, in order. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    if (lower === "content-type") return this.#owner.contentType === null ? [] : [this.#owner.contentType];
    const values: string[] = [];
    for (let at = this.#indexOf(lower, 0); at >= 0; at = this.#indexOf(lower, at + 2)) {
      values.push(this.#lines[at + 1]!);
    }
    return values;
  }

  has(name: string): boolean {
    const lower = name.toLowerCase();
    return lower === "content-type" ? this.#owner.contentType !== null : this.#indexOf(lower, 0) >= 0;
  }

  /** Removes every line of this name; false when there was none. */
  delete(name: string): boolean {
    const lower = name.toLowerCase();
    if (!this.has(lower)) return false;
    if (lower === "content-type") this.#owner.contentType = null;
    else this.#removeFrom(lower, 0);
    return true;
  }

  /** The number of lines, `content-type` not counted. */
  get size(): number {
    return this.#lines.length / 2;
  }

  /** The name of line `index`; for writers that iterate without allocating. */
  nameAt(index: number): string {
    return this.#lines[index * 2]!;
  }

  /** The value of line `index`. */
  valueAt(index: number): string {
    return this.#lines[index * 2 + 1]!;
  }

  /** Each line in order, without `content-type`. */
  *[Symbol.iterator](): Generator<[name: string, value: string], void, undefined> {
    for (let at = 0; at < this.#lines.length; at += 2) yield [this.#lines[at]!, this.#lines[at + 1]!];
  }

  #indexOf(lower: string, from: number): number {
    for (let at = from; at < this.#lines.length; at += 2) if (this.#lines[at] === lower) return at;
    return -1;
  }

  #removeFrom(lower: string, from: number): void {
    for (let at = this.#indexOf(lower, from); at >= 0; at = this.#indexOf(lower, at))
      this.#lines.splice(at, 2);
  }
}
