// The engine's exported functions, by the names in assembly/exports/index.ts. Arguments and answers are numbers: handles,
// pointers, lengths, milliseconds, and statuses below zero (assembly/abi/status.ts).

type Door = (...args: number[]) => number;

/** The exported functions, by the names in assembly/exports/index.ts. */
export interface Doors {
  layout: Door;
  initialize: Door;
  addEntropy: Door;
  setDate: Door;
  pollDeadline: Door;
  handleTimeout: Door;
  openConnection: Door;
  receive: Door;
  receiveEnd: Door;
  pollTransmit: Door;
  transmitBlocked: Door;
  transmitDrained: Door;
  drainConnection: Door;
  closeConnection: Door;
  openExchange: Door;
  sendInformational: Door;
  sendHead: Door;
  sendBody: Door;
  respond: Door;
  frameBody: Door;
  sendTrailers: Door;
  readBody: Door;
  push: Door;
  releaseExchange: Door;
  checkHandshake: Door;
  acceptSocket: Door;
  openSocket: Door;
  sendMessage: Door;
  beginMessage: Door;
  sendPayload: Door;
  sendPing: Door;
  sendPong: Door;
  closeSocket: Door;
  failSocket: Door;
  holdSocket: Door;
  bufferedBytes: Door;
  encodeMessage: Door;
  createQuicConfig: Door;
  releaseQuicConfig: Door;
  setQuicOption: Door;
  setQuicAlpn: Door;
  setQuicGroups: Door;
  addQuicCertificate: Door;
  addQuicRoot: Door;
  rotateQuicTicketKey: Door;
  setQuicSecret: Door;
  openEndpoint: Door;
  listenEndpoint: Door;
  drainEndpoint: Door;
  closeEndpoint: Door;
  endpointConnections: Door;
  receiveDatagrams: Door;
  pollDatagrams: Door;
  connectQuic: Door;
  answerQuic: Door;
  failQuic: Door;
  closeQuic: Door;
  pingQuic: Door;
  updateQuicKeys: Door;
  migrateQuic: Door;
  quicStats: Door;
  exportQuicKey: Door;
  openStream: Door;
  streamId: Door;
  writeStream: Door;
  peekedPtr: Door;
  peekStream: Door;
  consumeStream: Door;
  isStreamAtEnd: Door;
  resetStream: Door;
  stopStream: Door;
  releaseStream: Door;
  prioritizeStream: Door;
  sendDatagram: Door;
  peekDatagram: Door;
  consumeDatagram: Door;
  /** Debug build only. */
  debugTrap?: Door;
}
