// A headless Chromium, driven over its DevTools protocol: pages are opened, and expressions are evaluated in them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "undici";
import { findProgram } from "./suite.ts";

const START_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 60_000;
// Nothing here is from outside, and a sandbox of its own is what containers do not allow.
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"];

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
}

/** The path of a Chromium or Chrome; null when there is none. */
export function findChromium(): string | null {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return names.map(findProgram).find((path) => path !== null) ?? null;
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #nextId = 1;

  static async start(path: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), "httpy-chromium-"));
    const child = spawn(path, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      const socket = new WebSocket(await debuggerUrl(child));
      await new Promise<void>((resolve, reject) => {
        socket.addEventListener("open", () => resolve());
        socket.addEventListener("error", () => reject(new Error("Chromium's debugger does not answer")));
      });
      return new Chromium(child, profile, socket);
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Opens a page of its own. */
  async open(url: string): Promise<Page> {
    const { targetId } = (await this.call("Target.createTarget", { url: "about:blank" })) as {
      targetId: string;
    };
    const attached = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const { sessionId } = attached as { sessionId: string };
    // Answered once the page's document has replaced the blank one.
    await this.call("Page.navigate", { url }, sessionId);
    return new Page(this, sessionId);
  }

  /** Calls a method of the DevTools protocol. Rejects with what Chromium says is wrong. */
  async call(method: string, params: object, sessionId?: string): Promise<unknown> {
    const id = this.#nextId++;
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Answer>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${method}: no answer`)), CALL_TIMEOUT_MS);
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
    clearTimeout(timer);
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }

  async close(): Promise<void> {
    this.#socket.close();
    const ended = once(this.#process, "close");
    this.#process.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

export class Page {
  readonly #chromium: Chromium;
  readonly #sessionId: string;

  constructor(chromium: Chromium, sessionId: string) {
    this.#chromium = chromium;
    this.#sessionId = sessionId;
  }

  /** The value of an expression, awaited; it must be one that JSON can say. Rejects with what the page threw. */
  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const evaluated = (await this.#chromium.call("Runtime.evaluate", params, this.#sessionId)) as Evaluated;
    const { exceptionDetails, result } = evaluated;
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }
}

async function debuggerUrl(child: ChildProcess): Promise<string> {
  let output = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const url = /^DevTools listening on (\S+)$/m.exec(output)?.[1];
    if (url !== undefined) return url;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new Error(`Chromium does not start: ${output.slice(-500)}`);
}
