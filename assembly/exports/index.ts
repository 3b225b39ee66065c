/**
 * Every door of the engine. The release module exports exactly these functions and its memory, and imports nothing.
 * The contract between engine and host is described in instance.ts (order of calls) and abi/ (regions, events, statuses).
 */
import {
  closeConnection,
  drainConnection,
  openConnection,
  pollTransmit,
  receive,
  receiveEnd,
  transmitBlocked,
  transmitDrained,
} from "./connection.ts";
import {
  frameBody,
  openExchange,
  push,
  readBody,
  releaseExchange,
  respond,
  sendBody,
  sendHead,
  sendInformational,
  sendTrailers,
} from "./exchange.ts";
import { addEntropy, handleTimeout, initialize, layout, pollDeadline, setDate } from "./instance.ts";

export {
  addEntropy,
  closeConnection,
  drainConnection,
  frameBody,
  handleTimeout,
  initialize,
  layout,
  openConnection,
  openExchange,
  pollDeadline,
  pollTransmit,
  push,
  readBody,
  receive,
  receiveEnd,
  releaseExchange,
  respond,
  sendBody,
  sendHead,
  sendInformational,
  sendTrailers,
  setDate,
  transmitBlocked,
  transmitDrained,
};
