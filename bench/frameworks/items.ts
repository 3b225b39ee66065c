/** What `/large` answers: made into JSON for every answer. About 100 KB. */
export const items = Array.from({ length: 1000 }, (_, id) => ({
  id,
  name: `item ${id}`,
  price: id * 10,
  tags: ["one", "two", "three"],
  inStock: id % 2 === 0,
}));
