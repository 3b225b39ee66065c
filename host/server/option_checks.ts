// Checks of the options of `listen`: errors that name the option, its value and what is allowed.

/** Throws for an option that there is none of, and for what is no object of options. */
export function known(what: string, options: object, names: readonly string[], label: string): void {
  if (!isObject(options)) throw new TypeError(`${what} are ${describe(options)}; they must be an object`);
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw new TypeError(`${label} "${name}" is unknown; there are ${names.join(", ")}`);
  }
}

/** A whole number within bounds. Throws RangeError. */
export function whole(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new RangeError(
      `listen option ${name} is ${describe(value)}; it must be a whole number from ${least} to ${most}`,
    );
  }
  return value as number;
}

/** Nothing, or a text that is not empty. Throws TypeError. */
export function text(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) {
    throw wrong(name, value, "a string that is not empty");
  }
}

/** Nothing, true or false. Throws TypeError. */
export function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") {
    throw wrong(name, value, "true or false");
  }
}

/** The error that names the option, its value and what is allowed. */
export function wrong(name: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`listen option ${name} is ${describe(value)}; it must be ${allowed}`);
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function hasMethod(value: unknown, name: string): boolean {
  return isObject(value) && typeof (value as Record<string, unknown>)[name] === "function";
}

/** A value as errors name it. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  return String(value);
}
