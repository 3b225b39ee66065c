/** Deadlines over the wheel: the earlier of two, moves without touching the wheel, and what is due when. */

import { Status } from "../../../assembly/abi/status.ts";
import { timerExpire, timerInitialize, timerPollDeadline } from "../../../assembly/core/timer_wheel.ts";
import { Connection } from "../../../assembly/session/connection.ts";
import {
  clearReadDeadline,
  clearWriteDeadline,
  clockReset,
  deadlineDue,
  nowMs,
  setNow,
  setReadDeadline,
  setWriteDeadline,
} from "../../../assembly/session/deadline.ts";

const area: usize = heap.alloc(offsetof<Connection>());
const connection: Connection = changetype<Connection>(area);

/** Lets time pass; answers what became due first, or Status.OK. */
function passTo(now: f64): i32 {
  setNow(now);
  let status: i32 = Status.OK;
  while (true) {
    const ptr = timerExpire(nowMs);
    if (ptr == 0) return status;
    expect(ptr).toBe(area);
    const due = deadlineDue(connection);
    if (status == Status.OK) status = due;
  }
}

describe("deadlines", () => {
  beforeEach(() => {
    memory.fill(area, 0, offsetof<Connection>());
    timerInitialize(100);
    clockReset(100);
  });

  test("are due at their time with their status, once", () => {
    setReadDeadline(connection, 50, Status.HEAD_TIMEOUT);
    expect(timerPollDeadline()).toBeLessThanOrEqual(150);
    expect(passTo(149)).toBe(Status.OK);
    expect(passTo(150)).toBe(Status.HEAD_TIMEOUT);
    expect(passTo(10000)).toBe(Status.OK);
    expect(timerPollDeadline()).toBe(Infinity);
  });

  test("on both sides are due each at its own time", () => {
    setReadDeadline(connection, 200, Status.BODY_TIMEOUT);
    setWriteDeadline(connection, 100);
    expect(timerPollDeadline()).toBeLessThanOrEqual(200);
    expect(passTo(200)).toBe(Status.WRITE_TIMEOUT);
    expect(passTo(299)).toBe(Status.OK);
    expect(passTo(300)).toBe(Status.BODY_TIMEOUT);
  });

  test("on both sides at once are due one after the other", () => {
    setReadDeadline(connection, 100, Status.BODY_TIMEOUT);
    setWriteDeadline(connection, 100);
    setNow(200);
    expect(timerExpire(nowMs)).toBe(area);
    expect(deadlineDue(connection)).toBe(Status.WRITE_TIMEOUT);
    expect(timerExpire(nowMs)).toBe(area);
    expect(deadlineDue(connection)).toBe(Status.BODY_TIMEOUT);
    expect(timerExpire(nowMs)).toBe(0);
  });

  test("that move later fire early once, and are due then", () => {
    setReadDeadline(connection, 10, Status.IDLE_TIMEOUT);
    setReadDeadline(connection, 500, Status.IDLE_TIMEOUT);
    expect(timerPollDeadline()).toBeLessThanOrEqual(110);
    expect(passTo(110)).toBe(Status.OK);
    expect(passTo(599)).toBe(Status.OK);
    expect(passTo(600)).toBe(Status.IDLE_TIMEOUT);
  });

  test("that move earlier are due earlier", () => {
    setReadDeadline(connection, 500, Status.IDLE_TIMEOUT);
    setReadDeadline(connection, 10, Status.HEAD_TIMEOUT);
    expect(passTo(109)).toBe(Status.OK);
    expect(passTo(110)).toBe(Status.HEAD_TIMEOUT);
    expect(passTo(1000)).toBe(Status.OK);
  });

  test("that were cleared are never due", () => {
    setReadDeadline(connection, 10, Status.HEAD_TIMEOUT);
    setWriteDeadline(connection, 20);
    clearReadDeadline(connection);
    clearWriteDeadline(connection);
    expect(passTo(10000)).toBe(Status.OK);
  });

  test("do not move when time runs backwards", () => {
    setNow(150);
    setNow(50);
    setNow(NaN);
    expect(nowMs).toBe(150);
    setReadDeadline(connection, 10, Status.HEAD_TIMEOUT);
    expect(passTo(159)).toBe(Status.OK);
    expect(passTo(160)).toBe(Status.HEAD_TIMEOUT);
  });
});
