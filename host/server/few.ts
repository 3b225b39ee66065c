// A set of things of which there is mostly one or none: one is held as it is and several in a Set, so that an idle connection does
// not pay for a collection.

export type Few<T extends object> = T | Set<T> | null;

export function withItem<T extends object>(few: Few<T>, item: T): Few<T> {
  if (few === null || few === item) return item;
  if (few instanceof Set) return few.add(item);
  return new Set([few, item]);
}

/** The same without one that was in it. */
export function withoutItem<T extends object>(few: Few<T>, item: T): Few<T> {
  if (few === item) return null;
  if (few instanceof Set) few.delete(item);
  return few;
}

export function hasItem<T extends object>(few: Few<T>, item: T): boolean {
  return few instanceof Set ? few.has(item) : few === item;
}

export function countOf<T extends object>(few: Few<T>): number {
  if (few === null) return 0;
  return few instanceof Set ? few.size : 1;
}

/** The items as they are now; what is added or taken away meanwhile does not show. */
export function itemsOf<T extends object>(few: Few<T>): readonly T[] {
  if (few === null) return [];
  return few instanceof Set ? [...few] : [few];
}
