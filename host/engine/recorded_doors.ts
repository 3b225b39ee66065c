// The doors whose calls are recorded: those that change a connection, or what connections of QUIC are made with.

/** What a door's numbers are. */
export interface DoorShape {
  /** Whose handle the first number is; `setup` is what concerns every connection of QUIC that comes later. */
  readonly of: "connection" | "exchange" | "stream" | "setup";
  /** Which numbers are pointers. The length is the number behind each, unless `byteLength` says it of the only one. */
  readonly pointers: readonly number[];
  readonly byteLength?: (args: readonly number[]) => number;
  /** The second number is a stream's handle. */
  readonly hasStream?: true;
  /** The answer, where it is above zero, is a handle of this kind. */
  readonly answers?: "exchange" | "stream";
}

const ROUTE_SECRET_BYTES = 32;
const TICKET_KEY_BYTES = 48;
const PREFERRED_ADDRESS_BYTES = 24;

function connection(...pointers: number[]): DoorShape {
  return { of: "connection", pointers };
}

function exchange(...pointers: number[]): DoorShape {
  return { of: "exchange", pointers };
}

function onStream(...pointers: number[]): DoorShape {
  return { of: "connection", pointers, hasStream: true };
}

function setup(pointers: readonly number[] = [], byteLength?: DoorShape["byteLength"]): DoorShape {
  return byteLength === undefined ? { of: "setup", pointers } : { of: "setup", pointers, byteLength };
}

/** By name. The doors of endpoints and of time are kept too, by whom they served (recorder.ts). */
export const RECORDED_DOORS: Readonly<Record<string, DoorShape>> = {
  receive: connection(),
  receiveEnd: connection(),
  pollTransmit: connection(),
  transmitBlocked: connection(),
  transmitDrained: connection(),
  drainConnection: connection(),
  closeConnection: connection(),
  sendInformational: exchange(2),
  sendHead: exchange(2),
  sendBody: exchange(1),
  respond: exchange(2, 4),
  frameBody: exchange(),
  sendTrailers: exchange(1),
  readBody: exchange(),
  push: { ...exchange(1, 3), answers: "exchange" },
  releaseExchange: exchange(),
  acceptSocket: exchange(1, 3),
  sendMessage: exchange(2),
  beginMessage: exchange(),
  sendPayload: exchange(1),
  sendPing: exchange(1),
  sendPong: exchange(1),
  closeSocket: exchange(2),
  failSocket: exchange(),
  holdSocket: exchange(),
  acceptSession: exchange(1),
  openSessionStream: { ...exchange(), answers: "stream" },
  sendSessionDatagram: exchange(1),
  endSession: exchange(3),
  answerQuic: connection(1),
  failQuic: connection(),
  closeQuic: connection(3),
  pingQuic: connection(),
  updateQuicKeys: connection(),
  retireQuicIds: connection(),
  migrateQuic: connection(),
  openStream: { ...connection(), answers: "stream" },
  writeStream: onStream(2),
  consumeStream: onStream(),
  resetStream: onStream(),
  stopStream: onStream(),
  releaseStream: { of: "stream", pointers: [] },
  prioritizeStream: { of: "stream", pointers: [] },
  sendDatagram: connection(1),
  consumeDatagram: connection(),
  createQuicConfig: setup(),
  releaseQuicConfig: setup(),
  setQuicOption: setup(),
  setQuicAlpn: setup([1]),
  setQuicGroups: setup([1], ([, , count]) => 2 * (count as number)),
  addQuicCertificate: setup(
    [2],
    ([, , , names, chain, schemes]) => (names as number) + (chain as number) + 2 * (schemes as number),
  ),
  addQuicRoot: setup([1]),
  setQuicPreferredAddress: setup([1], () => PREFERRED_ADDRESS_BYTES),
  rotateQuicTicketKey: setup([1], () => TICKET_KEY_BYTES),
  setQuicSecret: setup([0], () => ROUTE_SECRET_BYTES),
  openEndpoint: setup(),
  listenEndpoint: setup(),
  drainEndpoint: setup(),
  closeEndpoint: setup(),
};

/** What else a recording may call. */
export const OTHER_DOORS: ReadonlySet<string> = new Set([
  "openConnection",
  "setDate",
  "handleTimeout",
  "receiveDatagrams",
  "pollDatagrams",
]);
