// Connections of HTTP/3 over QUIC (RFC 9114 §3.1, §3.2).
//
// A name may have several addresses, and an address that does not answer says nothing: each gets a moment before the next one is tried
// beside it, and the first whose handshake is complete wins (RFC 8305).
//
// Invariant: of the attempts of one dial, all but the one that won are closed when it settles.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { KeyObject } from "node:crypto";
import { QuicConfigFlag, QuicOption, QuicStatus } from "../engine/index.ts";
import { encodeAddress, parseIp } from "../engine/datagram_batch.ts";
import { checked } from "../engine/engine_error.ts";
import type { CongestionControl } from "../quic/congestion.ts";
import { readCredential } from "../quic/credentials.ts";
import { addRoots, makeConfig, readRuntimeRoots } from "../quic/quic_config.ts";
import type { QlogTarget } from "../quic/qlog.ts";
import { QuicConnectionError } from "../quic/quic_error.ts";
import type { ClientEngine } from "./client_engine.ts";
import type { TlsClientOptions } from "./client_options.ts";
import type { Carrier, CarrierOwner, Dialer, DialTarget } from "./dialer.ts";
import { EngineCarrier } from "./engine_carrier.ts";
import { HttpClientError } from "./http_client_error.ts";
import type { LinksHost } from "./quic_links.ts";
import { QuicWire } from "./quic_wire.ts";
import { TicketCache } from "./ticket_cache.ts";

export interface QuicDialerOptions {
  readonly tls: TlsClientOptions;
  /** Requests at a time on one connection. */
  readonly streamsMax: number;
  /** Send safe requests before the handshake of a resumed connection is complete. */
  readonly earlyData: boolean;
  readonly qlog: QlogTarget | null;
  /** Connect only where an origin has said that it speaks HTTP/3. */
  readonly needsAlternative: boolean;
  readonly congestion: CongestionControl;
}

/** The head start of an address (RFC 8305 §5). */
const ATTEMPT_DELAY_MS = 250;
const ADDRESSES_MOST = 6;

/** A configuration on one instance, with the keys that it asks signatures of. */
export interface Configured {
  readonly config: number;
  readonly keys: readonly KeyObject[];
  /** The same for version 2, of a server that has said that it speaks no other. */
  readonly version2: () => Promise<Configured>;
}

/** Version 2, as a Version Negotiation packet has said (QuicOption.VERSION). */
const VERSION_2_NEGOTIATED = 2 | 4;

/** A dialer on UDP; `engine` answers the instance that new connections are to be on. */
export function createQuicDialer(engine: () => Promise<ClientEngine>, options: QuicDialerOptions): Dialer {
  const tickets = new TicketCache();
  const configured = new Map<ClientEngine, Promise<Configured>>();
  const configOf = (client: ClientEngine): Promise<Configured> => {
    let made = configured.get(client);
    if (made === undefined) {
      for (const other of configured.keys()) if (other.failure !== null) configured.delete(other);
      configured.set(client, (made = configureQuic(client, options.tls, 1, options)));
    }
    return made;
  };
  return {
    protocols: ["h3"],
    needsAlternative: options.needsAlternative,
    dial: async (target, owner, signal) => {
      if (!target.isSecure) {
        const detail = "HTTP/3 is spoken for https alone";
        throw new HttpClientError("ERR_HTTPY_CLIENT_PROTOCOL_NOT_SPOKEN", { detail, isUnprocessed: true });
      }
      try {
        const client = await engine();
        const config = await configOf(client);
        const addresses = await addressesOf(target.host);
        signal.throwIfAborted();
        return await race(addresses, signal, (address, attempt) =>
          connect(client, config, options, tickets, target, address, owner, attempt).catch(
            async (error: unknown) => {
              // RFC 9000 §6.2: no connection of version 1 is to be had there, but one of version 2.
              const isOffered =
                error instanceof QuicConnectionError &&
                error.status === (QuicStatus.VERSION_OFFERED as number);
              if (!isOffered || attempt.aborted) throw error;
              return connect(
                client,
                await config.version2(),
                options,
                tickets,
                target,
                address,
                owner,
                attempt,
              );
            },
          ),
        );
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (cause instanceof HttpClientError) throw cause;
        throw new HttpClientError("ERR_HTTPY_CLIENT_CONNECT", { cause, isUnprocessed: true });
      }
    },
    close: () => {
      for (const client of configured.keys()) client.links.stop();
      configured.clear();
    },
  };
}

/** What a configuration is for, beside requests. */
export interface ConfigureOptions extends Partial<
  Pick<QuicDialerOptions, "earlyData" | "qlog" | "congestion">
> {
  /** Announce WebTransport, and take datagrams. Default false. */
  readonly webTransport?: boolean;
}

export async function configureQuic(
  client: LinksHost,
  tls: TlsClientOptions,
  version = 1,
  more: ConfigureOptions = {},
): Promise<Configured> {
  const { quic } = client.engine;
  const isUnchecked = tls.rejectUnauthorized === false;
  const runtimeRoots = isUnchecked || tls.ca !== undefined ? "" : await readRuntimeRoots();
  const { earlyData = false, qlog = null, congestion = "cubic", webTransport = false } = more;
  const config = makeConfig(
    quic,
    {
      alpn: ["h3"],
      earlyData,
      congestion,
      ...(webTransport ? {} : { datagramBytes: 0 }),
      ...(qlog === null ? {} : { qlog }),
    },
    QuicConfigFlag.HTTP3 |
      (isUnchecked ? QuicConfigFlag.ANY_CERTIFICATE : 0) |
      (webTransport ? QuicConfigFlag.WEBTRANSPORT : 0),
  );
  if (!isUnchecked) addRoots(quic, config, tls.ca === undefined ? undefined : pemOf(tls.ca), runtimeRoots);
  checked(quic.setOption(config, QuicOption.VERSION, version), "choosing the version");
  let other: Promise<Configured> | undefined;
  const version2 = (): Promise<Configured> =>
    (other ??= configureQuic(client, tls, VERSION_2_NEGOTIATED, more));
  if (tls.key === undefined || tls.cert === undefined) return { config, keys: [], version2 };
  const { key, chain, schemes } = readCredential({ key: tls.key, cert: tls.cert }, tls.passphrase);
  checked(quic.addCertificate(config, { keyId: 0, chain, names: [], schemes }), "adding a certificate");
  return { config, keys: [key], version2 };
}

function pemOf(ca: NonNullable<TlsClientOptions["ca"]>): string {
  const parts = typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca;
  return parts.map((part) => (typeof part === "string" ? part : new TextDecoder().decode(part))).join("\n");
}

/** The addresses of a host, families in turn, that of the resolver's first answer first (RFC 8305 §4). */
export async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  const first = found.filter(({ family }) => family === found[0]?.family);
  const second = found.filter(({ family }) => family !== found[0]?.family);
  const inTurn = first.flatMap((one, index) => [one, ...second.slice(index, index + 1)]);
  const rest = second.slice(first.length);
  return [...inTurn, ...rest].slice(0, ADDRESSES_MOST).map(({ address }) => address);
}

/** The first attempt that succeeds; the others are aborted. Rejects with the last failure when none does. */
function race<T>(
  addresses: readonly string[],
  signal: AbortSignal,
  attempt: (address: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const control = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    let begun = 0;
    let openCount = 0;
    let isSettled = false;
    const settle = (end: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      end();
      control.abort(signal.reason ?? new Error("another address was faster"));
    };
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    const begin = (): void => {
      clearTimeout(timer);
      const address = addresses[begun++];
      if (address === undefined) return;
      openCount++;
      if (begun < addresses.length) timer = setTimeout(begin, ATTEMPT_DELAY_MS);
      attempt(address, control.signal).then(
        (value) => settle(() => resolve(value)),
        (error: Error) => {
          openCount--;
          if (isSettled) return;
          if (begun < addresses.length) begin();
          else if (openCount === 0) settle(() => reject(error));
        },
      );
    };
    signal.addEventListener("abort", onAbort, { once: true });
    begin();
  });
}

async function connect(
  client: ClientEngine,
  { config, keys }: Configured,
  { tls, streamsMax, earlyData }: QuicDialerOptions,
  tickets: TicketCache,
  target: DialTarget,
  address: string,
  owner: CarrierOwner,
  signal: AbortSignal,
): Promise<Carrier> {
  const { links, engine } = client;
  const shared = await links.endpoint(isIP(address) === 6 ? 6 : 4, keys);
  signal.throwIfAborted();
  const { endpoint } = shared;
  const name = tls.servername ?? target.serverName;
  // Whether certificates hold depends on the day.
  engine.doors.setDate(Date.now());
  const server = `${name} ${address} ${target.port}`;
  const ticket = tickets.take(server);
  const handle = checked(
    engine.quic.connect(
      endpoint.handle,
      config,
      {
        address: encodeAddress(address, target.port),
        serverName: isIP(name) === 0 ? name.toLowerCase() : Uint8Array.from(parseIp(name)),
        ...(ticket === undefined ? {} : { ticket }),
      },
      client.now(),
    ),
    "connecting",
  );
  const wire = new QuicWire(client, handle, shared);
  wire.hold(true);
  const { alternative } = target;
  const common = { handle, protocol: "h3", alternative, streamsMax } as const;
  const isEarly = earlyData && ticket !== undefined;
  let carrier: EngineCarrier | null = null;
  const connected = new Promise<Carrier>((resolve, reject) => {
    const onAbort = (): void => {
      wire.destroy();
      reject(signal.reason as Error);
    };
    // An attempt that may carry requests already has won.
    if (!isEarly) signal.addEventListener("abort", onAbort, { once: true });
    links.add(handle, endpoint, {
      connected: () => {
        signal.removeEventListener("abort", onAbort);
        if (carrier !== null) return carrier.confirmed();
        if (signal.aborted) return;
        resolve((carrier = new EngineCarrier(client, wire, owner, common)));
      },
      ticket: (bytes) => tickets.keep(server, bytes),
      progressed: () => carrier?.received(),
      closed: (end: QuicConnectionError) => {
        signal.removeEventListener("abort", onAbort);
        wire.hold(false);
        if (carrier === null) reject(end);
        else carrier.disconnected(end.status === 0 ? null : end);
      },
    });
  });
  client.guarded(() => {
    // TLS asks for a key before there is anything to send.
    links.readEvents();
    if (!isEarly) endpoint.flush();
    links.armTimer();
  });
  if (!isEarly) return connected;
  // RFC 9001 §4.6: what is safe goes with the first flight. How the handshake ends, the carrier is told.
  connected.catch(() => undefined);
  carrier = new EngineCarrier(client, wire, owner, { ...common, isEarly });
  endpoint.flushLater();
  return carrier;
}
