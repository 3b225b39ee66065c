/**
 * A whole server in one component of WASI 0.2: `wasmtime run -S inherit-network build/wasi/server.component.wasm`.
 * The module's top level adds the routes when it is instantiated; `run` becomes the component's `wasi:cli/run`.
 */
import { serveTcp } from "../../assembly/wasi/component.ts";
import { cabi_realloc } from "../../assembly/wasi/preview2.ts";
import "./app.ts";

export { cabi_realloc };

export function run(): u32 {
  return serveTcp();
}
