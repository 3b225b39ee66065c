// Raw QUIC: connections, streams and datagrams for protocols other than HTTP/3.

export type { CongestionControl } from "./congestion.ts";
export { connectQuic } from "./connect_quic.ts";
export type { ConnectQuicOptions, QuicClient } from "./connect_quic.ts";
export { listenQuic } from "./listen_quic.ts";
export type { ListenQuicOptions, QuicListener } from "./listen_quic.ts";
export type { QlogTarget, QlogWriter } from "./qlog.ts";
export type { CipherName, GroupName, QuicOptions } from "./quic_config.ts";
export type { QuicCloseInfo, QuicConnection, QuicStats } from "./quic_connection.ts";
export { QuicConnectionError, QuicStreamError } from "./quic_error.ts";
export type { QuicEnd } from "./quic_error.ts";
export type { QuicStream, StreamConnection } from "./quic_stream.ts";
