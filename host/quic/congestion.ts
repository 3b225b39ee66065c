// The algorithms of congestion control that QUIC may be told to use, by their names.

/** CUBIC with HyStart++ (RFC 9438, RFC 9406), NewReno (RFC 9002), or BBR in its version 3 (draft-ietf-ccwg-bbr). */
export type CongestionControl = "cubic" | "reno" | "bbr";

/** Their numbers in QuicOption.CONGESTION. */
const NUMBERS: ReadonlyMap<unknown, number> = new Map<CongestionControl, number>([
  ["cubic", 0],
  ["reno", 1],
  ["bbr", 2],
]);

/** What a wrong name is told. */
export const CONGESTION_NAMES = "cubic, reno or bbr";

/** The engine's number; undefined where there is no such algorithm. */
export function congestionNumber(name: unknown): number | undefined {
  return NUMBERS.get(name);
}
