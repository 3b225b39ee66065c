// A headless Chromium, spoken to by the DevTools protocol over a pipe: pages are opened, asked for expressions, and their events
// collected. Certificates are not checked, for those of the tests are signed by themselves.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const ANSWER_TIMEOUT_MS = 20_000;

interface Message {
  id?: number;
  sessionId?: string;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
}

export interface PageEvent {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The path of a Chromium on this machine; null when there is none. */
export function findBrowser(): string | null {
  for (const name of NAMES) {
    const found = spawnSync("which", [name], { encoding: "utf8" });
    if (found.status === 0) return found.stdout.trim();
  }
  return null;
}

export class Browser {
  readonly #profile: string;
  readonly #child: ReturnType<typeof spawn>;
  readonly #commands: Writable;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #pages = new Map<string, Page>();
  #nextId = 1;

  /** `more`: further flags of its command line. */
  constructor(path: string, more: readonly string[] = []) {
    this.#profile = mkdtempSync(join(tmpdir(), "httpy-browser-"));
    const flags = [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--ignore-certificate-errors",
      "--remote-debugging-pipe",
      `--user-data-dir=${this.#profile}`,
      ...more,
    ];
    // Descriptors 3 and 4 are the pipe's two directions.
    this.#child = spawn(path, flags, {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // A group of its own, so that its helpers can be ended with it: they write to the profile, too.
      detached: true,
    });
    this.#commands = this.#child.stdio[3] as Writable;
    this.#commands.on("error", () => undefined);
    let rest = "";
    (this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\0");
      rest = parts.pop() ?? "";
      for (const part of parts) this.#read(JSON.parse(part) as Message);
    });
  }

  #read(message: Message): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.sessionId !== undefined && message.method !== undefined) {
      const event = { method: message.method, params: message.params ?? {} };
      this.#pages.get(message.sessionId)?.events.push(event);
    }
  }

  /** Sends a command; resolves with its result. Rejects with the browser's error, or after 20 s. */
  command(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_TIMEOUT_MS);
      this.#answers.set(id, ({ result, error }) => {
        clearTimeout(timer);
        if (error === undefined) resolve(result ?? {});
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Opens a page in a profile of its own. */
  async open(url: string): Promise<Page> {
    const { browserContextId } = await this.command("Target.createBrowserContext");
    const { targetId } = await this.command("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.command("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId as string);
    this.#pages.set(page.sessionId, page);
    for (const domain of ["Page", "Network", "Runtime"]) await page.command(`${domain}.enable`);
    await page.command("Page.navigate", { url });
    await page.until("document.readyState === 'complete' && location.href !== 'about:blank'");
    return page;
  }

  /** Ends it in order, so that it writes what it was to write. */
  async quit(): Promise<void> {
    const gone = once(this.#child, "close");
    await this.command("Browser.close").catch(() => undefined);
    await gone;
    killGroup(this.#child);
    removeProfile(this.#profile);
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "close");
    killGroup(this.#child);
    await gone;
    removeProfile(this.#profile);
  }
}

export class Page {
  readonly sessionId: string;
  /** What the browser told of it, from when it was opened. */
  readonly events: PageEvent[] = [];
  readonly #browser: Browser;

  constructor(browser: Browser, sessionId: string) {
    this.#browser = browser;
    this.sessionId = sessionId;
  }

  command(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#browser.command(method, params, this.sessionId);
  }

  /** The value of an expression, awaited; rejects with what it throws. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = (await this.command("Runtime.evaluate", options)) as {
      result: { value?: unknown };
      exceptionDetails?: { exception?: { description?: string }; text: string };
    };
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  /** Resolves once an expression is true; rejects with the page's text when it is not within `patienceMs`. */
  async until(expression: string, patienceMs = 10_000): Promise<void> {
    const deadline = performance.now() + patienceMs;
    // A page that is just being left has nothing to evaluate in.
    while ((await this.evaluate(expression).catch(() => false)) !== true) {
      if (performance.now() > deadline) {
        const text = await this.evaluate("document.body?.innerText");
        throw new Error(`waited for ${expression}; the page shows:\n${String(text)}`);
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }

  /** By which protocol the page itself came: `http/1.1`, `h2` or `h3`. */
  async protocol(): Promise<string> {
    return (await this.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")) as string;
  }

  /** Status of the answer to each WebSocket's handshake, in order. */
  handshakeStatuses(): number[] {
    return this.events
      .filter(({ method }) => method === "Network.webSocketHandshakeResponseReceived")
      .map(({ params }) => (params["response"] as { status: number }).status);
  }

  /** A PNG of what it shows. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.command("Page.captureScreenshot");
    return Buffer.from(data as string, "base64");
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nobody of it is left.
  }
}

/** The kernel takes a moment to end those that were killed. */
function removeProfile(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}
