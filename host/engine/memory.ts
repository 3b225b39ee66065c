// Views of an engine's linear memory. They are made once: memory is grown to its final size before the engine starts and
// never again, so no view detaches.

/** Node, Deno and Bun read and write strings in memory natively through Buffer; elsewhere loops do. */
interface NativeBuffer extends Uint8Array {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number): number;
  utf8Write(text: string, offset: number): number;
  utf8Slice(start: number, end: number): string;
}

const SHORT_TEXT = 24;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class EngineMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly #native: NativeBuffer | null;

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.doubles = new Float64Array(buffer);
    const native = typeof Buffer === "function" ? (Buffer.from(buffer) as unknown as NativeBuffer) : null;
    this.#native = native !== null && typeof native.latin1Slice === "function" ? native : null;
  }

  /** The bytes as a string of code units 0–255. (A TextDecoder's "latin1" is windows-1252.) */
  latin1(ptr: number, len: number): string {
    if (this.#native !== null) return this.#native.latin1Slice(ptr, ptr + len);
    let text = "";
    for (let at = ptr; at < ptr + len; at++) text += String.fromCharCode(this.bytes[at] as number);
    return text;
  }

  /** UTF-8 as a string; what is none becomes U+FFFD. */
  utf8(ptr: number, len: number): string {
    if (this.#native !== null) return this.#native.utf8Slice(ptr, ptr + len);
    return decoder.decode(this.bytes.subarray(ptr, ptr + len));
  }

  /** Writes code units 0–255; answers the number of bytes. Higher units are cut, so callers check first. */
  writeLatin1(text: string, ptr: number): number {
    const len = text.length;
    if (len > SHORT_TEXT && this.#native !== null) return this.#native.latin1Write(text, ptr);
    const bytes = this.bytes;
    for (let i = 0; i < len; i++) bytes[ptr + i] = text.charCodeAt(i);
    return len;
  }

  /** Writes UTF-8; answers the number of bytes. There is room for 3 bytes per code unit. */
  writeUtf8(text: string, ptr: number): number {
    const len = text.length;
    if (len <= SHORT_TEXT) {
      const bytes = this.bytes;
      let i = 0;
      for (; i < len; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[ptr + i] = unit;
      }
      if (i === len) return len;
    }
    if (this.#native !== null) return this.#native.utf8Write(text, ptr);
    return encoder.encodeInto(text, this.bytes.subarray(ptr, ptr + len * 3)).written;
  }
}
