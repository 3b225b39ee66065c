// Makes the recording that quic_transcript.ts reads: the same runs, whose questions node:crypto answers.

import { selfSigned } from "../wire/tls/identities.ts";
import type { Answer, NodeOptions } from "./engine_node.ts";
import { QuicNode } from "./quic_node.ts";
import { type Recording, RUNS, runAll } from "./quic_transcript.ts";

class RecordingNode extends QuicNode {
  readonly #answers: string[];

  constructor(module: WebAssembly.Module, options: NodeOptions, nowMs: number, answers: string[]) {
    super(module, options, nowMs);
    this.#answers = answers;
  }

  protected override answerTo(connection: number, kind: number, question: Uint8Array): Answer {
    const answer = super.answerTo(connection, kind, question);
    this.#answers.push(
      answer === null ? "-" : typeof answer === "number" ? `#${answer}` : Buffer.from(answer).toString("hex"),
    );
    return answer;
  }
}

export function recordQuic(module: WebAssembly.Module): Recording {
  const { key, chain } = selfSigned("ed25519", "sim.test");
  const certificate = chain[0] as Buffer;
  const answers = Array.from({ length: RUNS }, (): [string[], string[]] => [[], []]);
  runAll(
    certificate,
    (index, options, nowMs) => {
      const side = options.certificate === undefined ? 1 : 0;
      return new RecordingNode(module, options, nowMs, answers[index]![side]);
    },
    key,
  );
  return { certificate: certificate.toString("hex"), answers };
}
