// An EngineNode (test/sim/engine_node.ts) whose questions are answered by node:crypto, with keys that follow from its seed.

import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { QuestionKind } from "../../assembly/abi/quic.ts";
import { countValidSignatures, readSignQuestion } from "../../host/crypto/question.ts";
import { signWith } from "../../host/crypto/signature.ts";
import { type Answer, EngineNode, type NodeOptions } from "./engine_node.ts";

export type { HttpEvents, NodeEvents, NodeOptions, Send } from "./engine_node.ts";

/** PKCS #8 of an X25519 private key, RFC 8410 §7, up to its bytes. */
const X25519_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const X25519 = 0x1d;

export class QuicNode extends EngineNode {
  readonly #key: KeyObject | undefined;
  #draws = 0;
  readonly #seed: number;
  readonly #shares = new Map<number, KeyObject>();

  constructor(module: WebAssembly.Module, options: NodeOptions, nowMs: number) {
    super(module, options, nowMs);
    this.#seed = options.seed;
    this.#key = options.certificate?.key;
  }

  protected answerTo(connection: number, kind: number, question: Uint8Array): Answer {
    if (kind === QuestionKind.VERIFY) return countValidSignatures(question);
    if (kind !== QuestionKind.SIGN) return this.#exchange(connection, question);
    const { scheme, content } = readSignQuestion(question);
    return signWith(this.#key as KeyObject, scheme, content);
  }

  /** X25519 only, with private keys that follow from the seed. */
  #exchange(connection: number, question: Uint8Array): Uint8Array | null {
    const [kind] = question;
    if (kind === 1) {
      const key = this.#privateKey();
      this.#shares.set(connection, key);
      return Buffer.concat([Uint8Array.of(0, 32), publicBytes(key)]);
    }
    const group = ((question[1] as number) << 8) | (question[2] as number);
    if (group !== X25519) return null;
    const peer = createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, question.subarray(5)]),
      format: "der",
      type: "spki",
    });
    if (kind === 2) {
      const privateKey = this.#shares.get(connection) as KeyObject;
      return diffieHellman({ privateKey, publicKey: peer });
    }
    const privateKey = this.#privateKey();
    return Buffer.concat([
      Uint8Array.of(0, 32),
      publicBytes(privateKey),
      diffieHellman({ privateKey, publicKey: peer }),
    ]);
  }

  #privateKey(): KeyObject {
    const bytes = Buffer.alloc(32, 1);
    bytes.writeUInt32BE(this.#seed, 0);
    bytes.writeUInt32BE(this.#draws++, 4);
    return createPrivateKey({ key: Buffer.concat([X25519_PREFIX, bytes]), format: "der", type: "pkcs8" });
  }
}

function publicBytes(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(SPKI_PREFIX.length);
}
