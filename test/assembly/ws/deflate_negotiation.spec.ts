/** permessage-deflate, RFC 7692 §7.1: offers, wishes and answers as tables. */

import {
  DEFLATE_PARAMETERS_BYTES_MAX,
  negotiateDeflate,
  readDeflateAnswer,
  writeDeflateParameters,
} from "../../../assembly/ws/deflate_negotiation.ts";
import { Deflate, clientWindowBits, serverWindowBits } from "../../../assembly/abi/deflate_parameters.ts";
import { WsStatus } from "../../../assembly/abi/ws_status.ts";
import { randomBelow, seedRandom } from "../core/random.ts";
import { headOf } from "./head.ts";
import { textAt } from "./text.ts";

const dest: usize = heap.alloc(DEFLATE_PARAMETERS_BYTES_MAX);
const S_NCT = "server_no_context_takeover";
const C_NCT = "client_no_context_takeover";
const S_BITS = "server_max_window_bits";
const C_BITS = "client_max_window_bits";

function wishes(flags: i32, serverBits: i32, clientBits: i32): i32 {
  return (
    Deflate.ON |
    flags |
    (serverBits << Deflate.SERVER_WINDOW_SHIFT) |
    (clientBits << Deflate.CLIENT_WINDOW_SHIFT)
  );
}

function written(parameters: i32): string {
  if (parameters == Deflate.NONE) return "none";
  if (parameters < 0) return "malformed";
  return textAt(dest, writeDeflateParameters(dest, parameters)).replaceAll("permessage-deflate", "pmd");
}

/** By split and join, since the runtime's replaceAll writes past its result when the replacement is much longer. */
function spelledOut(value: string): string {
  return value.split("pmd").join("permessage-deflate");
}

/** What the server answers to the value of one `sec-websocket-extensions`, where "pmd" stands for permessage-deflate. */
function answered(value: string, serverWishes: i32): string {
  const head = headOf("sec-websocket-extensions: " + spelledOut(value));
  return written(negotiateDeflate(head, serverWishes));
}

/** What the client understands of an answer to its offer. */
function understood(value: string, offer: i32): string {
  const head = headOf("sec-websocket-extensions: " + spelledOut(value));
  return written(readDeflateAnswer(head, offer));
}

const PLAIN: i32 = Deflate.ON;

describe("the server's answer", () => {
  test("to no offer, or to other extensions", () => {
    expect(negotiateDeflate(headOf("host: a"), PLAIN)).toBe(Deflate.NONE);
    expect(answered("x-webkit-deflate-frame", PLAIN)).toBe("none");
    expect(answered("foo; bar=1, baz", PLAIN)).toBe("none");
    expect(answered("pmd", Deflate.NONE)).toBe("none");
  });

  test("to each parameter alone", () => {
    expect(answered("pmd", PLAIN)).toBe("pmd");
    expect(answered("Permessage-Deflate", PLAIN)).toBe("pmd");
    expect(answered("pmd; " + S_NCT, PLAIN)).toBe("pmd; " + S_NCT);
    expect(answered("pmd; " + C_NCT, PLAIN)).toBe("pmd; " + C_NCT);
    expect(answered("pmd; " + S_BITS + "=10", PLAIN)).toBe("pmd; " + S_BITS + "=10");
    expect(answered("pmd; " + C_BITS, PLAIN)).toBe("pmd");
    expect(answered("pmd; " + C_BITS + "=10", PLAIN)).toBe("pmd; " + C_BITS + "=10");
  });

  test("to all four", () => {
    const all = "pmd; " + S_NCT + "; " + C_NCT + "; " + S_BITS + "=9; " + C_BITS + "=8";
    expect(answered(all, PLAIN)).toBe(all);
    expect(answered("pmd;" + C_BITS + ' = "8" ; ' + S_BITS + "=9;" + C_NCT + ";\t" + S_NCT, PLAIN)).toBe(all);
  });

  test("with wishes of its own", () => {
    expect(answered("pmd", wishes(Deflate.SERVER_NO_CONTEXT_TAKEOVER, 0, 0))).toBe("pmd; " + S_NCT);
    expect(answered("pmd", wishes(Deflate.CLIENT_NO_CONTEXT_TAKEOVER, 0, 0))).toBe("pmd; " + C_NCT);
    expect(answered("pmd", wishes(0, 11, 0))).toBe("pmd; " + S_BITS + "=11");
    expect(answered("pmd; " + S_BITS + "=13", wishes(0, 11, 0))).toBe("pmd; " + S_BITS + "=11");
    expect(answered("pmd; " + S_BITS + "=9", wishes(0, 11, 0))).toBe("pmd; " + S_BITS + "=9");
    expect(answered("pmd; " + C_BITS, wishes(0, 0, 10))).toBe("pmd; " + C_BITS + "=10");
    expect(answered("pmd; " + C_BITS + "=12", wishes(0, 0, 10))).toBe("pmd; " + C_BITS + "=10");
    expect(answered("pmd; " + C_BITS + "=9", wishes(0, 0, 10))).toBe("pmd; " + C_BITS + "=9");
  });

  test("never tells a client of windows it did not offer", () => {
    expect(answered("pmd", wishes(0, 0, 10))).toBe("pmd");
  });

  test("accepts a stated window of 15 by stating it", () => {
    expect(answered("pmd; " + S_BITS + "=15", PLAIN)).toBe("pmd; " + S_BITS + "=15");
  });

  test("declines a window that its deflater cannot keep to", () => {
    const least = PLAIN | (9 << Deflate.LEAST_SERVER_WINDOW_SHIFT);
    expect(answered("pmd; " + S_BITS + "=8", least)).toBe("none");
    expect(answered("pmd; " + S_BITS + "=9", least)).toBe("pmd; " + S_BITS + "=9");
    expect(answered("pmd; " + S_BITS + "=8, pmd", least)).toBe("pmd");
  });

  test("every value of both windows", () => {
    for (let bits = 0; bits < 32; bits++) {
      const isValid = bits >= 8 && bits <= 15;
      const server = "pmd; " + S_BITS + "=" + bits.toString();
      const client = "pmd; " + C_BITS + "=" + bits.toString();
      expect(answered(server, PLAIN)).toBe(isValid ? server : "none");
      expect(answered(client, PLAIN)).toBe(isValid ? client : "none");
    }
  });

  test("declines invalid, unknown and repeated parameters", () => {
    // prettier-ignore
    const parameters: StaticArray<string> = [
      S_NCT + "=1", C_NCT + "=true", S_NCT + '=""', S_BITS, S_BITS + "=08", S_BITS + "=1a", S_BITS + "=100",
      S_BITS + '=""', C_BITS + "=07", C_BITS + '=""', S_BITS + '="1\\0"', "unknown", "unknown=1", "server_no_context",
      S_NCT + "; " + S_NCT, C_NCT + "; " + C_NCT, S_BITS + "=9; " + S_BITS + "=9", C_BITS + "; " + C_BITS,
      C_BITS + "=9; " + C_BITS, C_BITS + "; " + C_BITS + "=9", "unknown; " + S_NCT,
    ];
    for (let index = 0; index < parameters.length; index++) {
      expect(answered("pmd; " + parameters[index], PLAIN)).toBe("none", parameters[index]);
      const withFallback = "pmd; " + parameters[index] + ", pmd; " + C_NCT;
      expect(answered(withFallback, PLAIN)).toBe("pmd; " + C_NCT, withFallback);
    }
  });

  test("takes the first acceptable offer, over lists and lines", () => {
    expect(answered("foo, pmd; " + S_BITS + "=10, pmd", PLAIN)).toBe("pmd; " + S_BITS + "=10");
    const lines =
      "sec-websocket-extensions: permessage-deflate; unknown\n" +
      "sec-websocket-extensions: permessage-deflate; server_no_context_takeover\n" +
      "sec-websocket-extensions: permessage-deflate";
    expect(written(negotiateDeflate(headOf(lines), PLAIN))).toBe("pmd; " + S_NCT);
  });

  test("a field that breaks the grammar fails the handshake, even behind a good offer", () => {
    // prettier-ignore
    const values: StaticArray<string> = [
      "", ",", ";", "; a", "a;", "a;;b", "a; b=", "a; =c", "a b", "a; b c", "a=b", 'a; b="c', 'a; b="c\\', 'a; b="c"d',
      "a; b==c", "(a)", "a, ;b", "a; b=c=d", "a; b, ; c", 'a; b="', '"a"', "a; b;",
    ];
    for (let index = 0; index < values.length; index++) {
      expect(answered(values[index], PLAIN)).toBe("malformed", values[index]);
      expect(answered(values[index], Deflate.NONE)).toBe("malformed", values[index]);
      if (values[index].startsWith(",") || values[index] == "") continue;
      expect(answered("pmd, " + values[index], PLAIN)).toBe("malformed", values[index]);
    }
  });

  test("empty list elements and blanks are passed over", () => {
    expect(answered(" ,, pmd ; " + S_NCT + " ,\t,", PLAIN)).toBe("pmd; " + S_NCT);
    expect(answered('foo; x="a, b; \\" c", pmd', PLAIN)).toBe("pmd");
  });

  test("100 KB of offers, of parameters and of nothing", () => {
    expect(answered("foo,".repeat(25000) + "pmd", PLAIN)).toBe("pmd");
    expect(answered("pmd" + "; a".repeat(33000) + ", pmd", PLAIN)).toBe("pmd");
    expect(answered("pmd" + ",".repeat(100000), PLAIN)).toBe("pmd");
    expect(answered("pmd; a" + " ".repeat(100000) + "=", PLAIN)).toBe("malformed");
    expect(answered('pmd; a="' + "\\".repeat(100001), PLAIN)).toBe("malformed");
  });
});

describe("the client's reading of an answer", () => {
  const offer: i32 = Deflate.ON | Deflate.CLIENT_WINDOW_HINT;

  test("an offer is written with its hint", () => {
    expect(written(offer)).toBe("pmd; " + C_BITS);
    expect(written(offer | Deflate.SERVER_NO_CONTEXT_TAKEOVER)).toBe("pmd; " + S_NCT + "; " + C_BITS);
    const stated = Deflate.ON | (12 << Deflate.CLIENT_WINDOW_SHIFT);
    expect(written(stated)).toBe("pmd; " + C_BITS + "=12");
  });

  test("no answer is no compression", () => {
    expect(readDeflateAnswer(headOf("host: a"), offer)).toBe(Deflate.NONE);
  });

  test("answers that fit", () => {
    expect(understood("pmd", offer)).toBe("pmd");
    const all = "pmd; " + S_NCT + "; " + C_NCT + "; " + S_BITS + "=9; " + C_BITS + "=10";
    expect(understood(all, offer)).toBe(all);
    const head = headOf("sec-websocket-extensions: permessage-deflate; server_max_window_bits=9");
    const agreed = readDeflateAnswer(head, offer);
    expect(serverWindowBits(agreed)).toBe(9);
    expect(clientWindowBits(agreed)).toBe(15);
  });

  test("answers that do not", () => {
    const malformed = "malformed";
    expect(understood("pmd", Deflate.NONE)).toBe(malformed, "nothing was offered");
    expect(understood("foo", offer)).toBe(malformed);
    expect(understood("pmd, pmd", offer)).toBe(malformed);
    expect(understood("pmd; unknown", offer)).toBe(malformed);
    expect(understood("pmd; " + C_BITS, offer)).toBe(malformed, "a window without a value");
    expect(understood("pmd; " + C_BITS + "=10", Deflate.ON)).toBe(malformed, "a window that was not offered");
    expect(understood("pmd; " + S_NCT + "; " + S_NCT, offer)).toBe(malformed);
    expect(understood("", offer)).toBe(malformed);
    expect(understood("pmd;", offer)).toBe(malformed);
    const twice =
      "sec-websocket-extensions: permessage-deflate\nsec-websocket-extensions: permessage-deflate";
    expect(readDeflateAnswer(headOf(twice), offer)).toBe(WsStatus.RESPONSE_EXTENSIONS);
  });

  test("what was asked must be granted", () => {
    expect(understood("pmd", offer | Deflate.SERVER_NO_CONTEXT_TAKEOVER)).toBe("malformed");
    const narrow = Deflate.ON | (10 << Deflate.SERVER_WINDOW_SHIFT) | (10 << Deflate.CLIENT_WINDOW_SHIFT);
    expect(understood("pmd", narrow)).toBe("malformed");
    expect(understood("pmd; " + S_BITS + "=11", narrow)).toBe("malformed");
    expect(understood("pmd; " + S_BITS + "=10", narrow)).toBe("pmd; " + S_BITS + "=10");
    expect(understood("pmd; " + S_BITS + "=10; " + C_BITS + "=11", narrow)).toBe("malformed");
    expect(understood("pmd; " + S_BITS + "=10; " + C_BITS + "=9", narrow)).toBe(
      "pmd; " + S_BITS + "=10; " + C_BITS + "=9",
    );
  });

  test("every answer of our server fits every offer of our client", () => {
    seedRandom(61);
    let refused = 0;
    for (let run = 0; run < 3000; run++) {
      const flags = randomBelow(2) * 2 + randomBelow(2) * 4;
      let sent = wishes(flags, randomBelow(2) * (8 + randomBelow(8)), randomBelow(2) * (8 + randomBelow(8)));
      if (randomBelow(2) == 0 && sent >> Deflate.CLIENT_WINDOW_SHIFT == 0) sent |= Deflate.CLIENT_WINDOW_HINT;
      const own = wishes(
        randomBelow(4) * 2,
        randomBelow(2) * (8 + randomBelow(8)),
        randomBelow(2) * (8 + randomBelow(8)),
      );
      const request = headOf("sec-websocket-extensions: " + textAt(dest, writeDeflateParameters(dest, sent)));
      const answer = negotiateDeflate(request, own);
      const response = headOf(
        "sec-websocket-extensions: " + textAt(dest, writeDeflateParameters(dest, answer)),
      );
      if (answer <= 0 || readDeflateAnswer(response, sent) != answer) refused++;
    }
    expect(refused).toBe(0);
  });

  test("random bytes never trap, and give the same result twice", () => {
    seedRandom(62);
    const words: StaticArray<string> = [
      "permessage-deflate",
      S_NCT,
      C_BITS,
      ";",
      ",",
      "=",
      '"',
      "\\",
      " ",
      "10",
      "x",
    ];
    let agreed = 0;
    for (let run = 0; run < 5000; run++) {
      let value = randomBelow(2) == 0 ? "permessage-deflate" : "";
      for (let count = randomBelow(9); count > 0; count--) value += words[randomBelow(words.length)];
      const head = headOf("sec-websocket-extensions:" + value);
      const result = negotiateDeflate(head, PLAIN);
      if (result > 0) agreed++;
      if (negotiateDeflate(head, PLAIN) != result) expect(value).toBe("");
    }
    expect(agreed).toBeGreaterThan(100);
  });
});
