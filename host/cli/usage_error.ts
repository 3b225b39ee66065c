// What somebody at a terminal got wrong: told in one line, with exit code 2, and without a stack.

export class UsageError extends Error {
  override readonly name = "UsageError";
}
