// Certificates of a test run, made once per file: elliptic curves, because those are quick to make.

import { generate } from "selfsigned";

export interface Pair {
  key: string;
  cert: string;
}

/** A certificate for one name, signed by itself. */
export async function certificateFor(name: string): Promise<Pair> {
  const made = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: name }] }],
  });
  return { key: made.private, cert: made.cert };
}
