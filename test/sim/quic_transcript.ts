// The transcript of QUIC that runtimes are compared by: two engines over networks of several weathers, every datagram by its length and
// digest, and what was counted.
//
// What TLS asks of the host is asymmetric cryptography, which a page does not have in this form: its answers are those of a recording
// (quic_recording.ts), in the order of the questions, and everything else is the engine's own. A question that differs is a line that
// differs.

import { QuicOption } from "../../assembly/abi/quic.ts";
import { Random } from "../fuzz/random.ts";
import { digest } from "./digest.ts";
import { type Answer, EngineNode, type NodeOptions } from "./engine_node.ts";
import { CLEAR, type Weather } from "./network.ts";
import { run } from "./quic_run.ts";

/** Answers as text: bytes in hexadecimal, `#` and a number, or `-` for none. */
export interface Recording {
  /** The server's certificate, in hexadecimal. */
  readonly certificate: string;
  /** Of each run, those of the server and those of the client. */
  readonly answers: readonly (readonly [server: string[], client: string[]])[];
}

const ROUGH: Weather = {
  latencyMs: 40,
  jitterMs: 25,
  loss: 0.05,
  burst: 0.2,
  duplication: 0.03,
  corruption: 0.02,
  mtu: 1350,
};
const SUITES = [0x1301, 0x1302, 0x1303];
const NAME = "sim.test";
/** RFC 8446 §4.2.3: signatures that follow from key and content alone. */
const ED25519 = 0x0807;

/** Each suite in clear and in rough weather. */
export const RUNS = 2 * SUITES.length;

/** Makes a side of a run. */
export type MakeNode = (index: number, options: NodeOptions, nowMs: number) => EngineNode;

/** Runs all of it; answers the transcript. `certificate` is the server's, self-signed. */
export function runAll(certificate: Uint8Array, makeNode: MakeNode, key?: CertificateKey): string {
  const lines: string[] = [];
  for (let index = 0; index < RUNS; index++) {
    lines.push(`quic ${index}`);
    const nodes: EngineNode[] = [];
    const common = { unixMs: Date.UTC(2027, 0, 1) };
    const outcome = run({
      random: new Random(index),
      weather: index < SUITES.length ? CLEAR : ROUGH,
      streamCount: 8,
      bytesMost: 30_000,
      updatesKeys: index % 2 === 1,
      ...(index >= SUITES.length ? { rebindAtMs: 300 } : {}),
      server: {
        ...common,
        seed: 2 * index + 1,
        address: "198.51.100.1",
        certificate: { chain: [certificate], names: [NAME], scheme: ED25519, ...(key && { key }) },
        options: [[QuicOption.SUITE, SUITES[index % SUITES.length] as number]],
      },
      client: { ...common, seed: 2 * index + 2, address: "192.0.2.1", root: certificate },
      makeNode: (options, nowMs) => {
        const node = makeNode(index, options, nowMs);
        nodes.push(node);
        return node;
      },
      tell: (line) => lines.push(line),
    });
    lines.push(`ends at ${outcome.ms} after ${outcome.datagrams} datagrams`);
    for (const { engine } of nodes) {
      for (const [name, value] of engine.counters()) if (value !== 0) lines.push(`${name} ${value}`);
    }
  }
  return lines.join("\n");
}

type CertificateKey = NonNullable<NonNullable<NodeOptions["certificate"]>["key"]>;

/** A side whose answers are read from a recording. */
class RecordedNode extends EngineNode {
  #answers: string[] = [];
  questions = "";

  reads(answers: readonly string[]): this {
    this.#answers = [...answers];
    return this;
  }

  protected answerTo(_connection: number, kind: number, question: Uint8Array): Answer {
    this.questions = digest(new TextEncoder().encode(`${this.questions} ${kind} ${digest(question)}`));
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`a question of kind ${kind} that was not recorded`);
    if (answer === "-") return null;
    if (answer.startsWith("#")) return Number(answer.slice(1));
    return bytesOf(answer);
  }
}

/** The transcript with a recording's answers. Throws when a question was not asked at the recording, or a run does not end. */
export function quicTranscript(module: WebAssembly.Module, { certificate, answers }: Recording): string {
  const nodes: RecordedNode[] = [];
  const text = runAll(bytesOf(certificate), (index, options, nowMs) => {
    const [server, client] = answers[index] as Recording["answers"][number];
    const node = new RecordedNode(module, options, nowMs);
    nodes.push(node);
    return node.reads(options.certificate === undefined ? client : server);
  });
  return [text, ...nodes.map(({ questions }) => `questions ${questions}`)].join("\n");
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16),
  );
}
