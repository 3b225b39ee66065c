/*
 * What every server of this folder does once it listens: say `ready PORT`, collect garbage when asked, and end when
 * the bench is gone. Started by hand there is no channel to the bench, and only the line is printed.
 */

export function announceReady(port: number): void {
  process.stdout.write(`ready ${port}\n`);
  process.on("disconnect", () => process.exit(0));
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.("done");
  });
}
