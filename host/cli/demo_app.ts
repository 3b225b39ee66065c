// The demo application: one page, and one route for each thing that the page shows.

import { setTimeout as sleep } from "node:timers/promises";
import { App, reply, Reply, sse } from "../index.ts";
import type { EventStream } from "../index.ts";
import { DEMO_STYLE, demoPage } from "./demo_page.ts";

/** The demo and its end. */
export interface DemoApp {
  readonly app: App;
  /** Ends what would go on for ever, so that the server can close. */
  readonly stop: () => void;
}

const TICK_MS = 1000;
const LINE_COUNT = 10;
const LINE_MS = 150;

/**
 * The demo; `/metrics` answers what `metrics` gives. A page trusts a session's certificate that nobody vouches for by its SHA-256 hash,
 * `certificateHash` in base64; null where somebody vouches for it.
 */
export function demoApp(metrics: () => Promise<string>, certificateHash: string | null = null): DemoApp {
  const app = new App();
  const tickers = new Set<EventStream>();
  let isStopping = false;

  app.get("/", (req) => {
    // Before the page is made: a browser may fetch the style sheet meanwhile.
    req.early({ link: "</style.css>; rel=preload; as=style" });
    return Reply.html(demoPage(req.protocol, req.exchange.scheme, app.routes(), certificateHash));
  });
  app.get("/style.css", () => reply(DEMO_STYLE, { contentType: "text/css; charset=utf-8" }));

  app.get("/json", () => ({ message: "Hello, World!", time: new Date().toISOString() }));
  app.get("/hello/:name", (req) => `Hello, ${req.params.name}!\n`);
  app.get("/search", (req) => ({ query: req.query }));

  app.get("/stream", () => {
    async function* lines() {
      for (let line = 1; line <= LINE_COUNT; line++) {
        yield `line ${line} of ${LINE_COUNT}\n`;
        await sleep(LINE_MS);
      }
    }
    return reply(lines(), { contentType: "text/plain; charset=utf-8" });
  });

  app.get("/ticks", () =>
    sse(async (ticker) => {
      tickers.add(ticker);
      ticker.onClose(() => tickers.delete(ticker));
      while (await ticker.send(new Date().toISOString())) await sleep(TICK_MS);
    }),
  );

  app.post("/upload", async (req) => {
    let byteCount = 0;
    for await (const chunk of req) byteCount += chunk.length;
    return { byteCount };
  });

  app.webtransport("/echo", async (session) => {
    session.datagrams.readable.pipeTo(session.datagrams.writable).catch(() => undefined);
    void session.draining.then(() => session.close());
    for await (const { readable, writable } of session.incomingBidirectionalStreams)
      readable.pipeTo(writable).catch(() => undefined);
  });

  app.get("/metrics", async () =>
    reply(await metrics(), { contentType: "text/plain; version=0.0.4; charset=utf-8" }),
  );

  // What an orchestrator asks: whether the process answers at all, and whether it wants further requests.
  app.get("/livez", () => "ok\n");
  app.get("/readyz", () => (isStopping ? reply("stopping\n", { status: 503 }) : "ok\n"));

  const stop = () => {
    isStopping = true;
    for (const ticker of [...tickers]) ticker.close();
  };
  return { app, stop };
}
