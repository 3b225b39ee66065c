// Whether bytes are UTF-8: what a text message has to be once it is inflated (RFC 6455 §8.1).

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
