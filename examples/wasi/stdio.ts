/** One connection over standard input and output: `build/wasi/stdio.wasm`. */
import { serveStdio } from "../../assembly/wasi/stdio.ts";
import "./app.ts";

serveStdio();
