/**
 * One connection over standard input and output, as inetd or a socket unit starts it: for hosts of preview 1 that have no
 * sockets. HTTP/1.1, and HTTP/2 for a client that begins with its preface.
 *
 * Reading waits in the host, and so does writing: a slow peer holds only itself up. Where the host cannot wait for input and
 * time at once (input that is a file), a read that waits keeps the engine's deadlines from being acted on.
 */
import { Link } from "./link.ts";
import { idleMs, openLink, readLink, startLoop, turn } from "./loop.ts";
import { Preview1Host, readFd, wait, waitBegin, waitFor, writeFd } from "./preview1.ts";

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const LONGEST_WAIT_MS: f64 = 60000;
/** One connection with all of its streams and queues, at their limits. */
const ENGINE_BYTES: u32 = 16 * 1024 * 1024;
const EXCHANGE_COUNT: u32 = 1024;

class StdioLink extends Link {
  read(dest: usize, len: u32): i32 {
    return readFd(STDIN, dest, len);
  }

  write(ptr: usize, len: u32): i32 {
    return writeFd(STDOUT, ptr, len);
  }

  shutdown(): void {
    // The peer sees the end when the command ends, which is at once: there is nobody else to serve.
    this.isPeerEnded = true;
  }

  close(): void {}
}

/** Serves the connection on standard input and output until it closes. */
export function serveStdio(): void {
  if (!startLoop(new Preview1Host(), ENGINE_BYTES, 1, EXCHANGE_COUNT)) return;
  const link = new StdioLink();
  if (!openLink(link)) return;
  while (true) {
    turn();
    if (link.isOver) return;
    waitBegin(idleMs(LONGEST_WAIT_MS));
    const canRead = !link.isPaused && !link.isPeerEnded;
    if (canRead) waitFor(STDIN, false);
    if (wait() && canRead) readLink(link);
  }
}
