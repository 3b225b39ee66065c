/**
 * The validity of a certificate, RFC 5280 §4.1.2.5: UTCTime for years through 2049, GeneralizedTime, both in UTC, with seconds and
 * without fractions. Dates that no calendar has are not times.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Certificate } from "./certificate.ts";
import { Tag, derNext, derRead } from "./der.ts";
import { X509Status } from "./x509_status.ts";

const UTC_TIME_BYTES: u32 = 13;
const GENERALIZED_TIME_BYTES: u32 = 15;
const DAYS_TO_1970: i32 = 719468;

const whole = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const pair = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const moment = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Whether `unixMs` lies within the certificate's validity, both ends included. */
export function checkValidity(certificate: Certificate, unixMs: f64): i32 {
  readerOpen(whole, certificate.validityPtr, certificate.validityLen);
  derRead(whole, Tag.SEQUENCE, pair);
  const notBefore = readTime(pair);
  const notAfter = readTime(pair);
  if (!readerIsExact(pair) || notBefore < 0 || notAfter < 0) return X509Status.MALFORMED;
  const now = Math.floor(unixMs / 1000);
  if (now < <f64>(notBefore - EPOCH)) return X509Status.NOT_YET_VALID;
  return now <= <f64>(notAfter - EPOCH) ? Status.OK : X509Status.EXPIRED;
}

/** Times count from the year 0, so that every valid one is positive. */
const EPOCH: i64 = <i64>DAYS_TO_1970 * 86400;

/** Seconds since the first of March of the year 0; -1 for what is not a time. */
function readTime(reader: Reader): i64 {
  const tag = derNext(reader, moment);
  const len = readerLeft(moment);
  let year: i32 = 0;
  let at = moment.at;
  if (tag == Tag.UTC_TIME && len == UTC_TIME_BYTES) {
    year = digits(at, 2);
    // §4.1.2.5.1: 50 and above are of the twentieth century.
    year += year >= 50 ? 1900 : 2000;
    at += 2;
  } else if (tag == Tag.GENERALIZED_TIME && len == GENERALIZED_TIME_BYTES) {
    year = digits(at, 4);
    at += 4;
  } else {
    return -1;
  }
  const month = digits(at, 2);
  const day = digits(at + 2, 2);
  const hour = digits(at + 4, 2);
  const minute = digits(at + 6, 2);
  const second = digits(at + 8, 2);
  if (load<u8>(at + 10) != 0x5a || min(min(min(year, month), min(day, hour)), min(minute, second)) < 0)
    return -1;
  if (year < 1000 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return -1;
  if (hour > 23 || minute > 59 || second > 59) return -1;
  return <i64>daysSince0(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/** The number that `count` digits make; a negative one when some is no digit. */
function digits(at: usize, count: u32): i32 {
  let value: i32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const digit = <u32>load<u8>(at + index) - 0x30;
    if (digit > 9) return -10000;
    value = value * 10 + digit;
  }
  return value;
}

/** Days since 0000-03-01: the leap day is the last of such a year, so months need no table. */
function daysSince0(year: i32, month: i32, day: i32): i32 {
  const shifted = month > 2 ? year : year - 1;
  const era = shifted / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
}

function daysOf(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}
