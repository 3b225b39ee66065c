// Connections of HTTP/1.1 and HTTP/2 over TCP and TLS.
//
// Over TLS the server chooses the protocol by ALPN (RFC 7301), and one that chooses none is taken to speak HTTP/1.1. Without TLS
// nobody chooses: it is HTTP/1.1, or HTTP/2 by prior knowledge (RFC 9113 §3.3) where nothing else is allowed.

import { connect as connectTcp, type Socket } from "node:net";
import type * as nodeTls from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { OpenFlag, Protocol, Role } from "../engine/index.ts";
import { EngineError } from "../engine/engine_error.ts";
import { QuicConnectionError } from "../quic/quic_error.ts";
import type { ClientEngine } from "./client_engine.ts";
import type { TlsClientOptions } from "./client_options.ts";
import type { Carrier, CarrierOwner, Dialer, DialTarget, ProtocolName } from "./dialer.ts";
import { EngineCarrier } from "./engine_carrier.ts";
import { HttpClientError } from "./http_client_error.ts";
import { SocketWire } from "./socket_wire.ts";

export interface TcpDialerOptions {
  readonly tls: TlsClientOptions;
  /** Requests at a time on one connection of HTTP/2. */
  readonly streamsMax: number;
}

/** What a failed handshake says that another attempt would say again. */
const LASTING =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ENOTFOUND$|EACCES$|HOSTNAME_)/u;

/** A dialer on node's sockets; `engine` answers the instance that new connections are to be on. */
export function createTcpDialer(engine: () => Promise<ClientEngine>, options: TcpDialerOptions): Dialer {
  return {
    protocols: ["h2", "http/1.1"],
    needsAlternative: false,
    dial: (target, owner, signal) => dial(engine, options, target, owner, signal),
    close: () => undefined,
  };
}

/** Alerts of TLS as codes of QUIC (RFC 9001 §4.8). */
const CRYPTO_FIRST = 0x100n;
const CRYPTO_LAST = 0x1ffn;

/** Whether dialing again may end otherwise. */
export function isPassing(error: HttpClientError): boolean {
  if (error.code !== "ERR_HTTPY_CLIENT_CONNECT") return error.code === "ERR_HTTPY_CLIENT_CONNECT_TIMEOUT";
  const { cause } = error;
  if (cause instanceof QuicConnectionError)
    return cause.isApplication || cause.code < CRYPTO_FIRST || cause.code > CRYPTO_LAST;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code !== "string" || !LASTING.test(code);
}

async function dial(
  engine: () => Promise<ClientEngine>,
  { tls, streamsMax }: TcpDialerOptions,
  target: DialTarget,
  owner: CarrierOwner,
  signal: AbortSignal,
): Promise<Carrier> {
  const client = await engine();
  const tlsModule = target.isSecure ? await import("node:tls") : null;
  signal.throwIfAborted();
  const tcp = connectTcp({ host: target.host, port: target.port });
  tcp.setNoDelay(true);
  const socket = tlsModule === null ? tcp : connectTls(tlsModule, tcp, target, tls);
  try {
    await whenConnected(socket, target.isSecure ? "secureConnect" : "connect", signal);
    const protocol = protocolOf(socket, target);
    const flags = target.isSecure ? OpenFlag.SECURE : OpenFlag.NONE;
    const handle = client.engine.doors.openConnection(
      protocol === "h2" ? Protocol.HTTP_2 : Protocol.HTTP_1,
      Role.CLIENT,
      flags,
      client.now(),
    );
    if (handle < 0) {
      throw new HttpClientError("ERR_HTTPY_CLIENT_CONNECT", {
        cause: new EngineError(handle),
        isUnprocessed: true,
      });
    }
    const wire = new SocketWire(socket, tcp, client, handle);
    const { alternative } = target;
    const carrier = new EngineCarrier(client, wire, owner, { handle, protocol, alternative, streamsMax });
    wire.start(carrier);
    return carrier;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectTls(
  { connect }: typeof nodeTls,
  tcp: Socket,
  target: DialTarget,
  tls: TlsClientOptions,
): TLSSocket {
  const name = tls.servername ?? target.serverName;
  return connect({
    ...(tls as ConnectionOptions),
    socket: tcp,
    // RFC 6066 §3: no addresses.
    servername: /^[\d.]+$|:/u.test(name) ? "" : name,
    ALPNProtocols: target.protocols.filter((protocol) => protocol !== "h3"),
  });
}

function whenConnected(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      socket.off(event, onConnect).off("error", onError).off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      end();
    };
    const fail = (cause: Error): void =>
      settle(() => reject(new HttpClientError("ERR_HTTPY_CLIENT_CONNECT", { cause, isUnprocessed: true })));
    const onConnect = (): void => settle(resolve);
    const onError = (error: Error): void => fail(error);
    const onClose = (): void => fail(new Error("the server closed the connection"));
    const onAbort = (): void => settle(() => reject(signal.reason as Error));
    socket.once(event, onConnect).once("error", onError).once("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    // What comes after the first error concerns nobody.
    socket.on("error", () => undefined);
  });
}

function protocolOf(socket: Socket, target: DialTarget): ProtocolName {
  const { protocols } = target;
  if (!target.isSecure) return protocols.includes("http/1.1") ? "http/1.1" : "h2";
  const chosen = (socket as TLSSocket).alpnProtocol;
  const protocol = typeof chosen === "string" && chosen !== "" ? chosen : "http/1.1";
  const known = protocols.find((one) => one === protocol);
  if (known !== undefined) return known;
  const detail = `it speaks ${protocol}, and ${protocols.join(", ")} ${protocols.length === 1 ? "is" : "are"} allowed`;
  throw new HttpClientError("ERR_HTTPY_CLIENT_PROTOCOL_NOT_SPOKEN", { detail, isUnprocessed: true });
}
