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
  /** Debug build only. */
  debugTrap?: Door;
}
