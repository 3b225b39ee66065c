// Prints the transcripts on whatever runtime this is: test/conformance/determinism.ts compares them, and has made the recording.

import { readFileSync } from "node:fs";
import type { Recording } from "./quic_transcript.ts";
import { allTranscripts } from "./transcripts.ts";

const recording = JSON.parse(readFileSync("build/quic-recording.json", "utf8")) as Recording;
console.log(allTranscripts(new WebAssembly.Module(readFileSync("build/engine.wasm")), recording));
