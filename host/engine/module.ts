// Where the engine's bytes come from, and compiling them once.
//
// In the source tree they lie in build/; in the package beside the bundle; the inline variant carries them. The bundler
// says which by its defines. Other runtimes and embedders hand over bytes or a compiled module of their own.

declare const __HTTPY_WASM__: string | undefined;
declare const __HTTPY_WASM_BASE64__: string | undefined;

/**
 * `WebAssembly.Module`, where the types of a runtime name it, and otherwise any object: those of Node 20 do not, and a
 * declaration that did would not compile there.
 */
export type CompiledModule = typeof globalThis extends {
  WebAssembly: { Module: new (...args: never[]) => infer Module };
}
  ? Module
  : object;

/** What an embedder may give in place of the module that comes with the package. */
export type ModuleSource = CompiledModule | BufferSource;

type BufferSource = ArrayBufferView | ArrayBuffer;

let compiled: Promise<WebAssembly.Module> | undefined;

/** The engine's module, compiled once per process. */
export function loadModule(): Promise<CompiledModule> {
  compiled ??= readModuleBytes().then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/** The compiled form of what an embedder gave. */
export async function moduleFrom(source: ModuleSource): Promise<CompiledModule> {
  return source instanceof WebAssembly.Module ? source : WebAssembly.compile(source);
}

async function readModuleBytes(): Promise<Uint8Array> {
  if (typeof __HTTPY_WASM_BASE64__ === "string")
    return Uint8Array.from(atob(__HTTPY_WASM_BASE64__), (character) => character.charCodeAt(0));
  const path = typeof __HTTPY_WASM__ === "string" ? __HTTPY_WASM__ : "../../build/engine.wasm";
  const url = new URL(path, import.meta.url);
  return bytesAt(url).catch((cause: unknown) => {
    const ways = 'copy "httpy/engine.wasm" there, import "httpy/inline", or give the option module its bytes';
    throw new Error(`The engine's module was not found at ${url.href}. In a bundle: ${ways}.`, { cause });
  });
}

/** From the file system, or from where else this module was loaded: a browser's server, a URL in Deno. */
async function bytesAt(url: URL): Promise<Uint8Array> {
  if (url.protocol === "file:") return (await import("node:fs/promises")).readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the answer was ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
