// How much of an engine's memory is not the slab that connections compete for: static data, which a module brings with it as its
// first pages, and the ring, the regions and the small tables behind it.

const PAGE_BYTES = 65_536;
const REGION_BYTES = 1_000_000;

const known = new WeakMap<WebAssembly.Module, number>();

/** Bytes of memory, in whole pages, in which a slab of about `slabBytes` is left. */
export function memoryWithSlab(module: WebAssembly.Module, slabBytes: number): number {
  let staticBytes = known.get(module);
  if (staticBytes === undefined) {
    const { memory } = new WebAssembly.Instance(module, {}).exports;
    staticBytes = (memory as WebAssembly.Memory).buffer.byteLength;
    known.set(module, staticBytes);
  }
  return Math.ceil((staticBytes + REGION_BYTES + slabBytes) / PAGE_BYTES) * PAGE_BYTES;
}
