// Params: the object that carries them, and the types inferred from a pattern.
//
// The object has no inherited members, so a param called `__proto__` or `constructor` is a plain key, and a
// name that the pattern lacks reads as undefined. It comes from a constructor whose prototype is empty rather
// than from Object.create(null), which V8 would keep as a dictionary.

/** Params by name, as a handler sees them. */
export type Params = Readonly<Record<string, string | undefined>>;

type ParamSegment<Segment extends string> = Segment extends `:${infer Name}?`
  ? { readonly [K in Name]?: string }
  : Segment extends `:${infer Name}`
    ? { readonly [K in Name]: string }
    : Segment extends "*"
      ? { readonly "*": string }
      : Segment extends `*${infer Name}`
        ? { readonly [K in Name]: string }
        : unknown;

type Segments<Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? ParamSegment<Head> & Segments<Tail>
  : ParamSegment<Path>;

type Flat<T> = { [K in keyof T]: T[K] };

/** The params of a pattern: `ParamsOf<"/users/:id">` is `{ readonly id: string }`. */
export type ParamsOf<Path extends string> = string extends Path
  ? Readonly<Record<string, string>>
  : unknown extends Segments<Path>
    ? Readonly<Record<never, string>>
    : Flat<Segments<Path>>;

/** A record without inherited members. */
interface Bag {
  [name: string]: string;
}

const BagConstructor = function (this: Bag) {} as unknown as { new (): Bag; prototype: object };
BagConstructor.prototype = Object.freeze(Object.create(null) as object);

/** Params of every route that has none. */
export const NO_PARAMS: Params = Object.freeze(new BagConstructor());

/**
 * Names and captured offsets of a matched path as params. `captures` holds start and end of each value; a name
 * beyond `count` (an optional segment that is absent) is left out.
 */
export function makeParams(
  names: readonly string[],
  count: number,
  path: string,
  captures: readonly number[],
): Params {
  if (count === 0) return NO_PARAMS;
  const params = new BagConstructor();
  for (let i = 0; i < count; i++) params[names[i]!] = path.slice(captures[i * 2], captures[i * 2 + 1]);
  return params;
}
