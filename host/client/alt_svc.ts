// The Alt-Svc field, RFC 7838 §3: where else an origin can be reached, and with which protocol.
//
//   Alt-Svc       = clear / 1#alt-value
//   alt-value     = alternative *( OWS ";" OWS parameter )
//   alternative   = protocol-id "=" alt-authority      protocol-id: a token with percent-encoding, alt-authority: quoted-string
//
// A value that does not follow this says nothing: no part of it is used. Parameters that are not known are ignored (§3.1).

/** One alternative service. */
export interface AlternativeService {
  /** ALPN name, decoded. */
  readonly protocol: string;
  /** Empty: the origin's own host. IPv6 addresses in brackets. */
  readonly host: string;
  readonly port: number;
  /** How long it may be used, in seconds. */
  readonly maxAgeS: number;
  /** It outlives a change of the network. */
  readonly persists: boolean;
}

/** §3.1: fresh for 24 hours where nothing else is said. */
const MAX_AGE_DEFAULT_S = 86_400;
/** An origin has a handful; more than this of one field are not looked at. */
const SERVICES_MOST = 16;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/uy;
const QUOTED = /"((?:[^"\\]|\\.)*)"/uy;
const OWS = /[ \t]*/uy;

/** Reads a field value; "clear" when it takes everything back, null when it is malformed. Unusable ones are left out. */
export function parseAltSvc(value: string): readonly AlternativeService[] | "clear" | null {
  if (value.trim() === "clear") return "clear";
  const services: AlternativeService[] = [];
  const reader = new Reader(value);
  let count = 0;
  do {
    reader.take(OWS);
    // RFC 9110 §5.6.1: a recipient takes empty list elements.
    if (reader.isAtEnd || reader.peek(",")) continue;
    const service = readService(reader);
    if (service === null) return null;
    count++;
    if (service !== "unusable" && services.length < SERVICES_MOST) services.push(service);
    reader.take(OWS);
  } while (reader.skip(","));
  return reader.isAtEnd && count > 0 ? services : null;
}

function readService(reader: Reader): AlternativeService | "unusable" | null {
  const name = reader.take(TOKEN);
  if (name === null || !reader.skip("=")) return null;
  const authority = reader.take(QUOTED);
  if (authority === null) return null;
  let maxAgeS = MAX_AGE_DEFAULT_S;
  let persists = false;
  for (;;) {
    const at = reader.at;
    reader.take(OWS);
    if (!reader.skip(";")) {
      reader.at = at;
      break;
    }
    reader.take(OWS);
    const parameter = reader.take(TOKEN);
    if (parameter === null || !reader.skip("=")) return null;
    const text = reader.take(QUOTED) ?? reader.take(TOKEN);
    if (text === null) return null;
    if (parameter.toLowerCase() === "ma" && /^\d+$/u.test(text)) maxAgeS = Math.min(Number(text), 2 ** 31);
    // §3.1: any other value says nothing.
    if (parameter.toLowerCase() === "persist" && text === "1") persists = true;
  }
  const protocol = decode(name);
  const match = /^(\[[\da-fA-F:.]+\]|[^:[\]/?#@]*):(\d{1,5})$/u.exec(authority);
  const port = Number(match?.[2] ?? 0);
  if (protocol === null || match === null || port === 0 || port > 65535) return "unusable";
  return { protocol, host: (match[1] as string).toLowerCase(), port, maxAgeS, persists };
}

function decode(name: string): string | null {
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

class Reader {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  peek(character: string): boolean {
    return this.#text[this.at] === character;
  }

  skip(character: string): boolean {
    if (!this.peek(character)) return false;
    this.at++;
    return true;
  }

  /** What the sticky pattern matches here: of a quoted string, its content. Null when it does not match. */
  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.#text);
    if (match === null) return null;
    this.at = pattern.lastIndex;
    return match[1] === undefined ? match[0] : match[1].replace(/\\(.)/gu, "$1");
  }
}
