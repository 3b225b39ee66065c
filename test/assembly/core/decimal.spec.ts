/** Digits in and out: round trips, every byte that is no digit, and both sides of the largest value. */

import {
  DECIMAL_LENGTH_MAX,
  HEX_LENGTH_MAX,
  NUMBER_MAX,
  NumberStatus,
  decimalLength,
  hexDigit,
  hexLength,
  readDecimal,
  readHex,
  writeDecimal,
  writeHex,
} from "../../../assembly/core/decimal.ts";
import { random64, seedRandom } from "./random.ts";

const area: usize = heap.alloc(64);

function put(text: string): u32 {
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, area);
  return text.length;
}

function taken(len: usize): string {
  return String.UTF8.decodeUnsafe(area, len);
}

function decimal(text: string): i64 {
  return readDecimal(area, put(text));
}

function hex(text: string): i64 {
  return readHex(area, put(text));
}

describe("decimal", () => {
  test("reads digits, leading zeros among them", () => {
    expect(decimal("0")).toBe(0);
    expect(decimal("7")).toBe(7);
    expect(decimal("4294967296")).toBe(4294967296);
    expect(decimal("000000000000000000000000000042")).toBe(42);
  });

  test("refuses an empty run and everything that is no digit, wherever it stands", () => {
    expect(readDecimal(area, 0)).toBe(NumberStatus.Invalid);
    for (let value: u32 = 0; value < 256; value++) {
      if (value >= 0x30 && value <= 0x39) continue;
      for (let place: usize = 0; place < 3; place++) {
        put("123");
        store<u8>(area + place, <u8>value);
        expect(readDecimal(area, 3)).toBe(NumberStatus.Invalid);
      }
    }
    expect(decimal("99999999999999999999999999999999x")).toBe(NumberStatus.Invalid);
  });

  test("takes 2^53 - 1 and calls everything above too large", () => {
    expect(decimal("9007199254740991")).toBe(NUMBER_MAX);
    expect(decimal("9007199254740992")).toBe(NumberStatus.Overflow);
    expect(decimal("18446744073709551617")).toBe(NumberStatus.Overflow);
    expect(decimal("99999999999999999999999999999999")).toBe(NumberStatus.Overflow);
  });

  test("writes without leading zeros, up to the largest u64", () => {
    expect(taken(writeDecimal(area, 0))).toBe("0");
    expect(taken(writeDecimal(area, 10))).toBe("10");
    expect(taken(writeDecimal(area, u64.MAX_VALUE))).toBe("18446744073709551615");
    expect(<u32>decimalLength(u64.MAX_VALUE)).toBe(DECIMAL_LENGTH_MAX);
  });

  test("reads what it wrote, at every power of ten and at random", () => {
    seedRandom(1);
    let faults = 0;
    for (let power: i64 = 1; power <= NUMBER_MAX; power *= 10) {
      for (let value = power - 1; value <= power + 1; value++) {
        const length = writeDecimal(area, value);
        if (length != decimalLength(value) || taken(length) != value.toString()) faults++;
        if (readDecimal(area, <u32>length) != value) faults++;
      }
    }
    for (let step = 0; step < 2000; step++) {
      const value = <i64>(random64() >> (11 + (step & 31)));
      if (readDecimal(area, <u32>writeDecimal(area, value)) != value) faults++;
    }
    expect(faults).toBe(0);
  });
});

describe("hexadecimal", () => {
  test("reads both cases", () => {
    expect(hex("0")).toBe(0);
    expect(hex("fF")).toBe(255);
    expect(hex("0000000000000000000000001a")).toBe(26);
  });

  test("knows the digits and no other byte", () => {
    const digits = "0123456789abcdefABCDEF";
    for (let value: u32 = 0; value < 256; value++) {
      let expected = digits.indexOf(String.fromCharCode(value));
      if (expected > 15) expected -= 6;
      expect(hexDigit(value)).toBe(expected);
    }
    expect(hex("12g")).toBe(NumberStatus.Invalid);
    expect(hex("0x1")).toBe(NumberStatus.Invalid);
    expect(hex("ffffffffffffffffffff ")).toBe(NumberStatus.Invalid);
    expect(readHex(area, 0)).toBe(NumberStatus.Invalid);
  });

  test("takes 2^53 - 1 and calls everything above too large", () => {
    expect(hex("1fffffffffffff")).toBe(NUMBER_MAX);
    expect(hex("20000000000000")).toBe(NumberStatus.Overflow);
    expect(hex("10000000000000001")).toBe(NumberStatus.Overflow);
  });

  test("reads what it wrote, at every power of two", () => {
    expect(taken(writeHex(area, 0))).toBe("0");
    expect(taken(writeHex(area, u64.MAX_VALUE))).toBe("ffffffffffffffff");
    expect(<u32>hexLength(u64.MAX_VALUE)).toBe(HEX_LENGTH_MAX);
    let faults = 0;
    for (let bit = 0; bit < 53; bit++) {
      const power = (<i64>1) << bit;
      for (let value = power - 1; value <= power; value++) {
        const length = writeHex(area, value);
        if (length > 1 && load<u8>(area) == 0x30) faults++;
        if (length != hexLength(value) || readHex(area, <u32>length) != value) faults++;
      }
    }
    expect(faults).toBe(0);
  });
});
