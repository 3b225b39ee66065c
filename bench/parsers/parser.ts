/*
 * What the parse measures time: a function that parses one whole request again and again.
 */

/** Parses `bytes`, one whole request, `iterations` times, and returns how many fields it was told of in all. */
export type Parser = (bytes: Uint8Array, iterations: number) => number;

/** Room for the spans of one request: two numbers for each name and value. */
export const SPAN_NUMBERS = 1024;
