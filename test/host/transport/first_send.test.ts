// Nothing follows the first datagram of a fresh socket until that has left; afterwards nothing waits.

import { expect, test } from "vitest";
import { FirstSend } from "../../../host/transport/first_send.ts";

test("what comes after the first waits for it, in order, and nothing waits later", () => {
  const first = new FirstSend();
  const sent: number[] = [];
  let leaves = (): void => undefined;
  first.run((done) => {
    sent.push(1);
    leaves = done;
  });
  for (const number of [2, 3]) first.run(() => void sent.push(number));
  expect(sent).toEqual([1]);
  leaves();
  expect(sent).toEqual([1, 2, 3]);
  first.run(() => void sent.push(4));
  expect(sent).toEqual([1, 2, 3, 4]);
});
