// Prints the transcripts on whatever runtime this is: test/conformance/determinism.ts compares them.

import { readFileSync } from "node:fs";
import { transcripts } from "./transcript.ts";

console.log(transcripts(new WebAssembly.Module(readFileSync("build/engine.wasm"))));
