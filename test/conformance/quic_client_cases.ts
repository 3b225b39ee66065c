// What is asked of our client of QUIC against every server: suites, groups, resumption, early data, keys, migration and bad weather.

import { readFileSync } from "node:fs";
import type { ConnectQuicOptions, QuicClient } from "../../host/quic/index.ts";
import { assertEqual, LARGE, many, sha256, type Site, SMALL } from "./quic_site.ts";
import type { ProxyOptions } from "./udp_proxy.ts";

export interface UsualCase {
  readonly name: string;
  readonly client?: Partial<ConnectQuicOptions>;
  readonly proxy?: Omit<ProxyOptions, "targetPort">;
  readonly paths?: readonly string[];
  /** A connection before brings a ticket. */
  readonly resumes?: boolean;
  /** Called while the files are on their way. */
  readonly during?: (client: QuicClient) => Promise<void>;
  readonly check?: (client: QuicClient) => void;
}

export const usualCases: readonly UsualCase[] = [
  { name: "handshake and transfer", paths: [LARGE, SMALL] },
  ...(
    [
      ["TLS_AES_128_GCM_SHA256", 0x1301],
      ["TLS_AES_256_GCM_SHA384", 0x1302],
      ["TLS_CHACHA20_POLY1305_SHA256", 0x1303],
    ] as const
  ).map(([cipher, number]): UsualCase => ({
    name: cipher,
    client: { cipher },
    check: ({ connection }) => assertEqual("the suite", connection.stats()?.cipherSuite, number),
  })),
  { name: "P-256", client: { groups: ["P-256"] } },
  { name: "2000 streams", paths: many(2000, SMALL) },
  {
    name: "resumption",
    resumes: true,
    check: ({ connection }) => assertEqual("whether it is resumed", connection.isResumed, true),
  },
  {
    name: "0-RTT",
    resumes: true,
    client: { earlyData: true },
    check: ({ connection }) =>
      assertEqual("whether early data are accepted", connection.isEarlyDataAccepted, true),
  },
  {
    name: "key update",
    paths: many(20, LARGE),
    during: async ({ connection }) => {
      await connection.confirmed;
      connection.updateKeys();
    },
    check: ({ connection }) => {
      if ((connection.stats()?.keyUpdates ?? 0) < 1) throw new Error("the keys are the first ones");
    },
  },
  {
    name: "migration to another port",
    paths: many(20, LARGE),
    during: (client) => client.migrate(),
    check: ({ connection }) => assertEqual("how often it moved", connection.pathChanges, 1),
  },
  { name: "10 % loss", proxy: { loss: 0.1, delayMs: 5 }, paths: [LARGE, SMALL] },
  { name: "a round trip of half a second", proxy: { delayMs: 250 }, paths: [SMALL, LARGE] },
];

/** Fetches the files of a case at `place`, after a connection that brings a ticket where it asks for one, and checks it. */
export async function runClient(
  site: Site,
  attempt: UsualCase & { readonly paths: readonly string[] },
  place: Pick<ConnectQuicOptions, "alpn" | "host" | "port">,
  open: (options: ConnectQuicOptions) => Promise<QuicClient>,
  fetchFile: (client: QuicClient, path: string) => Promise<string>,
): Promise<void> {
  const { paths } = attempt;
  let ticket: Uint8Array | undefined;
  let tellTicket: () => void = () => undefined;
  const gotTicket = new Promise<void>((resolve) => (tellTicket = resolve));
  const options: ConnectQuicOptions = {
    ...place,
    serverName: "localhost",
    ca: readFileSync(site.ca, "utf8"),
    onTicket: (bytes) => {
      ticket = bytes.slice();
      tellTicket();
    },
    ...attempt.client,
  };
  if (attempt.resumes === true) {
    const earlier = await open(options);
    await fetchFile(earlier, SMALL);
    await gotTicket;
    await earlier.close();
  }
  const client = await open({ ...options, ...(ticket === undefined ? {} : { ticket }) });
  const [hashes] = await Promise.all([
    Promise.all(paths.map((path) => fetchFile(client, path))),
    attempt.during?.(client),
  ]);
  await client.connection.ready;
  hashes.forEach((hash, index) =>
    assertEqual(`the hash of ${paths[index]}`, hash, sha256(site.files.get(paths[index]!) as Buffer)),
  );
  attempt.check?.(client);
  await client.close();
}
