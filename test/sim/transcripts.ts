// All that runtimes are compared by: HTTP/1.1 and HTTP/2 over streams of bytes, QUIC over datagrams.

import { quicTranscript, type Recording } from "./quic_transcript.ts";
import { transcripts } from "./transcript.ts";

export function allTranscripts(module: WebAssembly.Module, recording: Recording): string {
  return `${transcripts(module)}\n${quicTranscript(module, recording)}`;
}
