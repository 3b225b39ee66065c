// 53 bits of bytes (cyrb53), in hexadecimal: enough to see a difference, without anything of a runtime.

export class Digest {
  #a = 0xdeadbeef;
  #b = 0x41c6ce57;

  update(bytes: Uint8Array): this {
    let [a, b] = [this.#a, this.#b];
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 2654435761);
      b = Math.imul(b ^ byte, 1597334677);
    }
    [this.#a, this.#b] = [a, b];
    return this;
  }

  get hex(): string {
    let [a, b] = [this.#a, this.#b];
    a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
    b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
    return (4294967296 * (2097151 & b) + (a >>> 0)).toString(16);
  }
}

export function digest(bytes: Uint8Array): string {
  return new Digest().update(bytes).hex;
}
