// Work that is put off until the code that runs now is done, and with it whatever promises it keeps.
//
// Where the runtime has ticks: one that is asked for by a promise's reaction comes after all other reactions, so that what they
// send, chunk by chunk or answer by answer, is gathered. A plain microtask stands in elsewhere, which comes sooner.

type Later = (work: () => void) => void;

export const afterTurn: Later =
  typeof process === "object" && typeof process.nextTick === "function"
    ? (work) => {
        process.nextTick(work);
      }
    : queueMicrotask;
