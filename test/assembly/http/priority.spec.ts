// The priority field, RFC 9218 §4: what is understood counts, what is not is ignored, nothing is refused.

import { writeAscii } from "../../../assembly/http/ascii.ts";
import { priorityIncremental, priorityUrgency, readPriorityValue } from "../../../assembly/http/priority.ts";

const bytes: usize = memory.data(256, 16);

function read(text: string): string {
  readPriorityValue(bytes, writeAscii(bytes, text));
  return `u=${priorityUrgency}${priorityIncremental ? ", i" : ""}`;
}

describe("a priority value", () => {
  test("is urgency 3, not incremental, when it says nothing", () => {
    expect(read("")).toBe("u=3");
    expect(read(" , ")).toBe("u=3");
  });

  test("gives urgency and incremental in any order, with or without blanks", () => {
    expect(read("u=0")).toBe("u=0");
    expect(read("u=7,i")).toBe("u=7, i");
    expect(read("i, u=5")).toBe("u=5, i");
    expect(read("u=1 ,  i=?1")).toBe("u=1, i");
    expect(read("i=?0, u=2")).toBe("u=2");
  });

  test("takes the last of members that repeat", () => {
    expect(read("u=1, u=6, i, i=?0")).toBe("u=6");
  });

  test("ignores parameters, unknown members and values of another kind", () => {
    expect(read("u=1;x=y, i;z")).toBe("u=1, i");
    expect(read('a="u=0, i", u=4')).toBe("u=4");
    expect(read("u=8, i=1")).toBe("u=3");
    expect(read("u=-1, u=10, u=?1, u, uu=1, i=?2, ii")).toBe("u=3");
  });
});
