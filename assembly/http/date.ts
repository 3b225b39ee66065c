/**
 * The date field, RFC 9110 §5.6.7 (IMF-fixdate) and §6.6.1, written once per second and copied into every response.
 * The host tells the time; the engine has no clock.
 */
import { writeAscii } from "./ascii.ts";

/** "Sun, 06 Nov 1994 08:49:37 GMT" */
export const DATE_LEN: u32 = 29;

const DAY_NAMES: string = "SunMonTueWedThuFriSat";
const MONTH_NAMES: string = "JanFebMarAprMayJunJulAugSepOctNovDec";
const MS_PER_SECOND: i64 = 1000;
const SECONDS_PER_DAY: i64 = 86400;

const text: usize = memory.data(32, 16);
let currentSecond: i64 = -1;

/** Sets the wall-clock time: milliseconds since 1970 in UTC, from year 1970 to 9999. */
export function dateSet(epochMs: f64): void {
  const second = <i64>epochMs / MS_PER_SECOND;
  if (second == currentSecond) return;
  currentSecond = second;
  writeDate(text, second);
}

/** Address of the current date's DATE_LEN bytes; they change with `dateSet`. */
export function datePtr(): usize {
  return text;
}

/** Seconds since 1970 of the current date: a key for what was encoded with it. */
export function dateSecond(): i64 {
  return currentSecond;
}

/** Writes IMF-fixdate for a second since 1970. Civil date from day count: the 400-year cycle, with March as first month. */
export function writeDate(dest: usize, second: i64): void {
  const days = second / SECONDS_PER_DAY;
  const rest = <u32>(second % SECONDS_PER_DAY);
  const shifted = <u32>days + 719468;
  const era = shifted / 146097;
  const dayOfEra = shifted % 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const shiftedMonth = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);

  writeName(dest, DAY_NAMES, <u32>((days + 4) % 7));
  writeAscii(dest + 3, ", ");
  writeTwoDigits(dest + 5, day);
  store<u8>(dest + 7, 0x20);
  writeName(dest + 8, MONTH_NAMES, month - 1);
  store<u8>(dest + 11, 0x20);
  writeTwoDigits(dest + 12, year / 100);
  writeTwoDigits(dest + 14, year % 100);
  store<u8>(dest + 16, 0x20);
  writeTwoDigits(dest + 17, rest / 3600);
  store<u8>(dest + 19, 0x3a);
  writeTwoDigits(dest + 20, (rest / 60) % 60);
  store<u8>(dest + 22, 0x3a);
  writeTwoDigits(dest + 23, rest % 60);
  writeAscii(dest + 25, " GMT");
}

function writeName(dest: usize, names: string, index: u32): void {
  for (let i: u32 = 0; i < 3; i++) store<u8>(dest + i, <u8>names.charCodeAt(index * 3 + i));
}

function writeTwoDigits(dest: usize, value: u32): void {
  store<u8>(dest, <u8>(0x30 + value / 10));
  store<u8>(dest + 1, <u8>(0x30 + (value % 10)));
}
