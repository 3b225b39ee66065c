// The part of the WebAssembly JavaScript interface that every runtime has and this project uses. TypeScript ships
// these types only with those of a browser's DOM, which would let `window` and `document` pass the type check of a
// server. Not here: tables, globals, exceptions, and the promise forms of what is done once at start.

declare namespace WebAssembly {
  type ExportValue = ((...args: number[]) => number | undefined) | Memory;
  type Exports = Record<string, ExportValue>;

  interface ModuleExportDescriptor {
    kind: "function" | "global" | "memory" | "table" | "tag";
    name: string;
  }

  interface ModuleImportDescriptor extends ModuleExportDescriptor {
    module: string;
  }

  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  const Module: {
    new (bytes: BufferSource): Module;
    exports(module: Module): ModuleExportDescriptor[];
    imports(module: Module): ModuleImportDescriptor[];
  };

  interface Instance {
    readonly exports: Exports;
  }
  const Instance: new (module: Module, imports?: Record<string, Record<string, unknown>>) => Instance;

  interface Memory {
    readonly buffer: ArrayBuffer;
    /** Adds 64 KiB pages, detaches every view, answers with the count before; throws when there is no room. */
    grow(pageCount: number): number;
  }
  const Memory: new (descriptor: { initial: number; maximum?: number }) => Memory;

  type BufferSource = ArrayBufferView | ArrayBuffer;

  function compile(bytes: BufferSource): Promise<Module>;
  function validate(bytes: BufferSource): boolean;

  class CompileError extends Error {}
  class LinkError extends Error {}
  /** What a trap is seen as from outside. */
  class RuntimeError extends Error {}
}
