// What the engine asks about keys, as bytes, and the answers (assembly/tls/key_share.ts, certificate_verify.ts and
// peer_certificate.ts have the formats). Numbers are in network byte order.
//
// Here are only bytes in and bytes out: who asked, and how the answer gets back, is the caller's.

import type { LocalShare } from "./key_exchange.ts";
import { generateShare, respondToShare } from "./key_exchange.ts";
import { isSignedBy } from "./signature.ts";

const enum KeyExchange {
  GENERATE = 1,
  DERIVE = 2,
  RESPOND = 3,
}

/** The private keys of one connection, from its ClientHello until it has its secret. */
export class ConnectionKeys {
  readonly #shares = new Map<number, LocalShare>();

  /** Answers a KEY_EXCHANGE question. Throws when the peer's share is no good. */
  answer(question: Uint8Array): Uint8Array {
    const reader = new QuestionReader(question);
    switch (reader.readNumber(1)) {
      case KeyExchange.GENERATE:
        return this.#generate(reader);
      case KeyExchange.DERIVE: {
        const share = this.#shares.get(reader.readNumber(2));
        if (share === undefined) throw new RangeError("a secret of a group that no share was made of");
        this.#shares.clear();
        return share.derive(reader.readBytes());
      }
      case KeyExchange.RESPOND: {
        const { publicShare, secret } = respondToShare(reader.readNumber(2), reader.readBytes());
        return Buffer.concat([withLength(publicShare), secret]);
      }
      default:
        throw new RangeError("an unknown question");
    }
  }

  #generate(reader: QuestionReader): Uint8Array {
    const answers: Uint8Array[] = [];
    for (let count = reader.readNumber(1); count > 0; count--) {
      const share = generateShare(reader.readNumber(2));
      this.#shares.set(share.group, share);
      answers.push(withLength(share.publicShare));
    }
    return Buffer.concat(answers);
  }
}

export interface SignQuestion {
  readonly keyId: number;
  readonly scheme: number;
  readonly content: Uint8Array;
}

export function readSignQuestion(question: Uint8Array): SignQuestion {
  const reader = new QuestionReader(question);
  return { keyId: reader.readNumber(4), scheme: reader.readNumber(2), content: reader.readRest() };
}

/** Answers a VERIFY question: how many signatures hold, up to the first that does not. */
export function countValidSignatures(question: Uint8Array): number {
  const reader = new QuestionReader(question);
  const count = reader.readNumber(1);
  for (let index = 0; index < count; index++) {
    const scheme = reader.readNumber(2);
    const spki = reader.readBytes();
    const content = reader.readBytes();
    if (!isSignedBy(spki, scheme, content, reader.readBytes())) return index;
  }
  return count;
}

function withLength(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

class QuestionReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  readNumber(length: number): number {
    let value = 0;
    for (const byte of this.#take(length)) value = value * 256 + byte;
    return value;
  }

  /** Bytes with their length, of two bytes, before them. */
  readBytes(): Uint8Array {
    return this.#take(this.readNumber(2));
  }

  readRest(): Uint8Array {
    return this.#take(this.#bytes.length - this.#at);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("a question that is cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
