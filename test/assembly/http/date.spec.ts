/** IMF-fixdate: known dates, the ends of months and years, leap years, and every day of four centuries against a calendar. */

import { DATE_LEN, datePtr, dateSecond, dateSet, writeDate } from "../../../assembly/http/date.ts";

const DAYS_PER_MONTH: i32[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAY_NAMES: string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTH_NAMES: string[] = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];
const SECONDS_PER_DAY: i64 = 86400;

const area: usize = heap.alloc(64);

function text(ptr: usize): string {
  return String.UTF8.decodeUnsafe(ptr, DATE_LEN);
}

function dateOf(second: i64): string {
  writeDate(area, second);
  return text(area);
}

function isLeap(year: i32): bool {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

function twoDigits(value: i32): string {
  return value < 10 ? "0" + value.toString() : value.toString();
}

describe("the date field", () => {
  test("writes known dates", () => {
    expect(dateOf(0)).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
    expect(dateOf(784111777)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
    expect(dateOf(951782399)).toBe("Mon, 28 Feb 2000 23:59:59 GMT");
    expect(dateOf(951782400)).toBe("Tue, 29 Feb 2000 00:00:00 GMT");
    expect(dateOf(951868800)).toBe("Wed, 01 Mar 2000 00:00:00 GMT");
    expect(dateOf(1709164800)).toBe("Thu, 29 Feb 2024 00:00:00 GMT");
    expect(dateOf(1735689599)).toBe("Tue, 31 Dec 2024 23:59:59 GMT");
    expect(dateOf(1735689600)).toBe("Wed, 01 Jan 2025 00:00:00 GMT");
    expect(dateOf(4107542400)).toBe("Mon, 01 Mar 2100 00:00:00 GMT");
    expect(dateOf(253402300799)).toBe("Fri, 31 Dec 9999 23:59:59 GMT");
  });

  test("agrees with a calendar on every day of four centuries", () => {
    let day: i64 = 0;
    let faults = 0;
    for (let year = 1970; year < 2370; year++) {
      for (let month = 0; month < 12; month++) {
        const last = DAYS_PER_MONTH[month] + (month == 1 && isLeap(year) ? 1 : 0);
        for (let date = 1; date <= last; date++) {
          writeDate(area, day * SECONDS_PER_DAY + 43200);
          const sameDay = load<u8>(area) == DAY_NAMES[<i32>((day + 4) % 7)].charCodeAt(0);
          const sameDate = load<u8>(area, 5) - 0x30 == date / 10 && load<u8>(area, 6) - 0x30 == date % 10;
          const sameMonth =
            load<u8>(area, 8) == MONTH_NAMES[month].charCodeAt(0) &&
            load<u8>(area, 9) == MONTH_NAMES[month].charCodeAt(1) &&
            load<u8>(area, 10) == MONTH_NAMES[month].charCodeAt(2);
          const sameYear =
            load<u8>(area, 14) - 0x30 == (year % 100) / 10 && load<u8>(area, 15) - 0x30 == year % 10;
          if (!sameDay || !sameDate || !sameMonth || !sameYear) faults++;
          day++;
        }
      }
    }
    expect(faults).toBe(0);
  });

  test("writes every second of a day", () => {
    let faults = 0;
    for (let second = 0; second < 86400; second++) {
      writeDate(area, second);
      const clock =
        twoDigits(second / 3600) + ":" + twoDigits((second / 60) % 60) + ":" + twoDigits(second % 60);
      if (String.UTF8.decodeUnsafe(area + 17, 8) != clock) faults++;
    }
    expect(faults).toBe(0);
  });

  test("keeps the current date until the second changes", () => {
    dateSet(784111777000);
    expect(text(datePtr())).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
    store<u8>(datePtr(), 0x58);
    dateSet(784111777999);
    expect(text(datePtr())).toBe("Xun, 06 Nov 1994 08:49:37 GMT");
    dateSet(784111778000);
    expect(text(datePtr())).toBe("Sun, 06 Nov 1994 08:49:38 GMT");
    expect(dateSecond()).toBe(784111778);
  });
});
