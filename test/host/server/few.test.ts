import { expect, test } from "vitest";
import { countOf, hasItem, itemsOf, withItem, withoutItem, type Few } from "../../../host/server/few.ts";

interface Item {
  readonly name: string;
}

test("it holds each item once, whether there is none, one or several", () => {
  const [a, b, c] = ["a", "b", "c"].map((name): Item => ({ name })) as [Item, Item, Item];
  let few: Few<Item> = null;
  const model = new Set<Item>();
  const steps: [Item, boolean][] = [
    [a, true], [a, true], [b, false], [b, true], [a, false], [c, true], [b, false], [c, false], [a, true], [a, false],
  ]; // prettier-ignore
  for (const [item, isAdded] of steps) {
    few = isAdded ? withItem(few, item) : withoutItem(few, item);
    if (isAdded) model.add(item);
    else model.delete(item);
    expect(countOf(few)).toBe(model.size);
    expect(new Set(itemsOf(few))).toEqual(model);
    for (const any of [a, b, c]) expect(hasItem(few, any)).toBe(model.has(any));
  }
});

test("items that are listed do not change with it", () => {
  const [a, b] = [{ name: "a" }, { name: "b" }];
  let few: Few<Item> = withItem(withItem<Item>(null, a), b);
  const before = itemsOf(few);
  few = withoutItem(few, a);
  expect(before).toEqual([a, b]);
  expect(itemsOf(few)).toEqual([b]);
});
