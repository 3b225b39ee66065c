// The radix tree of path shapes: static text is shared by prefix, a param or wildcard is an edge of its own.
//
//   "/users/"  ─┬─ "me"            static first,
//               ├─ :     ─ "/files/" ─ *     then the param, then the wildcard
//               └─ *
//
// A node lies at one fixed place of a shape, so a walk with backtracking enters it at most once per path: the
// work is bounded by the path's length plus the number of nodes, whatever the path says. Names of params are
// not the tree's: two routes may name the same segment differently.

import type { Segment } from "./pattern.ts";

/** Offsets into the path of what params and wildcard matched: start and end of each. */
export type Captures = number[];

class Node<Leaf> {
  /** Static text from the parent to here; empty for the root and behind a param. */
  text: string;
  children: Array<Node<Leaf>> = [];
  /** First character code of each child's text, to choose without touching the child. */
  firstCodes: number[] = [];
  param: Node<Leaf> | null = null;
  wildcard: Leaf | null = null;
  leaf: Leaf | null = null;

  constructor(text: string) {
    this.text = text;
  }
}

/** Maps path shapes to leaves. */
export class RadixTree<Leaf> {
  readonly #root = new Node<Leaf>("");
  readonly #maxParamLength: number;

  /** `maxParamLength`: characters of one param value; a longer segment does not match a param. */
  constructor(maxParamLength: number) {
    this.#maxParamLength = maxParamLength;
  }

  /** The leaf of this shape, made by `create` when the shape is new. */
  leafOf(segments: readonly Segment[], create: () => Leaf): Leaf {
    let node = this.#root;
    let text = "";
    for (const segment of segments) {
      text += "/";
      if (segment.kind === "static") {
        text += segment.text;
        continue;
      }
      node = insertText(node, text);
      text = "";
      if (segment.kind === "wildcard") return (node.wildcard ??= create());
      node = node.param ??= new Node<Leaf>("");
    }
    node = insertText(node, text);
    return (node.leaf ??= create());
  }

  /**
   * The first result that `choose` accepts (anything but undefined), most specific leaf first; undefined when
   * there is none. `captures` then holds the offsets of the accepted leaf.
   */
  find<Result>(
    path: string,
    captures: Captures,
    choose: (leaf: Leaf, wanted: string) => Result | undefined,
    wanted: string,
  ): Result | undefined {
    return walk(this.#root, path, 0, 0, captures, this.#maxParamLength, choose, wanted);
  }
}

function walk<Leaf, Result>(
  node: Node<Leaf>,
  path: string,
  at: number,
  depth: number,
  captures: Captures,
  maxParamLength: number,
  choose: (leaf: Leaf, wanted: string) => Result | undefined,
  wanted: string,
): Result | undefined {
  if (at === path.length) {
    if (node.leaf !== null) {
      const result = choose(node.leaf, wanted);
      if (result !== undefined) return result;
    }
  } else {
    const index = node.firstCodes.indexOf(path.charCodeAt(at));
    if (index >= 0) {
      const child = node.children[index]!;
      if (path.startsWith(child.text, at)) {
        const next = at + child.text.length;
        const result = walk(child, path, next, depth, captures, maxParamLength, choose, wanted);
        if (result !== undefined) return result;
      }
    }
    if (node.param !== null) {
      const slash = path.indexOf("/", at);
      const end = slash < 0 ? path.length : slash;
      if (end > at && end - at <= maxParamLength) {
        captures[depth * 2] = at;
        captures[depth * 2 + 1] = end;
        const result = walk(node.param, path, end, depth + 1, captures, maxParamLength, choose, wanted);
        if (result !== undefined) return result;
        // Deeper walks write only deeper captures, so those above stay right.
      }
    }
  }
  if (node.wildcard === null) return undefined;
  captures[depth * 2] = at;
  captures[depth * 2 + 1] = path.length;
  return choose(node.wildcard, wanted);
}

/** The node at the end of `text` below `node`, splitting a shared edge where the texts part. */
function insertText<Leaf>(node: Node<Leaf>, text: string): Node<Leaf> {
  let parent = node;
  let rest = text;
  while (rest !== "") {
    const index = parent.firstCodes.indexOf(rest.charCodeAt(0));
    if (index < 0) {
      const child = new Node<Leaf>(rest);
      parent.children.push(child);
      parent.firstCodes.push(rest.charCodeAt(0));
      return child;
    }
    const child = parent.children[index]!;
    const shared = sharedLength(child.text, rest);
    if (shared === child.text.length) {
      parent = child;
    } else {
      const upper = new Node<Leaf>(rest.slice(0, shared));
      child.text = child.text.slice(shared);
      upper.children.push(child);
      upper.firstCodes.push(child.text.charCodeAt(0));
      parent.children[index] = upper;
      parent = upper;
    }
    rest = rest.slice(shared);
  }
  return parent;
}

function sharedLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < limit && a.charCodeAt(shared) === b.charCodeAt(shared)) shared++;
  return shared;
}
