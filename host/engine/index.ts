// `httpy/engine`: the bare engine for embedders. What the package's own server uses, and nothing of the server.

export { OpenFlag, Protocol, Role, SendFlag } from "../../assembly/abi/message.ts";
export { Status } from "../../assembly/abi/status.ts";
export { statusText } from "../../assembly/abi/status_text.ts";
export { H3Status } from "../../assembly/abi/h3_status.ts";
export { QuicStatus } from "../../assembly/abi/quic_status.ts";
export { DEFAULT_MEMORY_BYTES, Engine } from "./engine.ts";
export type { EngineOptions, PinnedFields } from "./engine.ts";
export type { EventSink, SocketEvents } from "./event_reader.ts";
export type { FieldPairs } from "./field_writer.ts";
export { Recorder } from "./recorder.ts";
export { readRecording } from "./recording.ts";
export type { RecordedConnection, Recording, RecordingHead } from "./recording.ts";
export { replay } from "./replay.ts";
export type { ReplayReport } from "./replay.ts";
export { EngineError } from "./engine_error.ts";
export { limitEntries, resolveLimits } from "./limits.ts";
export type { LimitEntry, LimitName, LimitOptions } from "./limits.ts";
export { loadModule, moduleFrom } from "./module.ts";
export type { CompiledModule, ModuleSource } from "./module.ts";
export type { ReceivedHead } from "./received_head.ts";
export { clientWindowBits, Deflate, serverWindowBits } from "../../assembly/abi/deflate_parameters.ts";
export { MessageKind, PayloadPath, SocketFlag } from "../../assembly/abi/web_socket.ts";
export { CloseCode, closeCodeOf, handshakeHttpStatusOf, WsStatus } from "../../assembly/abi/ws_status.ts";
export type { SocketTerms } from "./socket_commands.ts";
export type { SocketPayload } from "./socket_payload.ts";
export {
  CloseFlag,
  ConnectedFlag,
  PacketLogFlag,
  QuestionKind,
  QuicConfigFlag,
  QuicOption,
  QuicStat,
  RetryPolicy,
  StreamNews,
} from "../../assembly/abi/quic.ts";
export { decodeAddress, encodeAddress } from "./datagram_batch.ts";
export type { QuicCertificate, QuicTarget } from "./quic_commands.ts";
export type { QuicEvents } from "./quic_events.ts";
export type { SessionCommands } from "./session_commands.ts";
export type { SessionEvents } from "./session_events.ts";
