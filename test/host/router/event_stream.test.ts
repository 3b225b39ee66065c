import { describe, expect, test } from "vitest";
import { formatEvent, Reply, Router, sse } from "../../../host/router/index.ts";
import type { EventStream } from "../../../host/router/index.ts";
import { ask, readAnswer } from "./ask.ts";

describe("the framing of events", () => {
  test("gives each line of data its own field", () => {
    expect(formatEvent("a\nb\r\nc\rd")).toBe("data: a\ndata: b\ndata: c\ndata: d\n\n");
    expect(formatEvent("")).toBe("data: \n\n");
  });

  test("writes all fields, data last", () => {
    expect(formatEvent({ data: { a: 1 }, event: "tick", id: "7", retry: 500, comment: "hi\nho" })).toBe(
      ': hi\n: ho\nevent: tick\nid: 7\nretry: 500\ndata: {"a":1}\n\n',
    );
    expect(formatEvent({ comment: "" })).toBe(": \n\n");
  });

  test("refuses fields that would break out of their line", () => {
    expect(() => formatEvent({ event: "a\ndata: b" })).toThrow(/event .* must be one line/);
    expect(() => formatEvent({ id: "a\rb" })).toThrow(/id/);
    expect(() => formatEvent({ id: "a\0b" })).toThrow(/NUL/);
    expect(() => formatEvent({ retry: -1 })).toThrow("retry -1");
    expect(() => formatEvent({ data: () => 1 })).toThrow(/function/);
  });
});

describe("sse()", () => {
  test("answers an iterable as text/event-stream", async () => {
    async function* ticks(): AsyncGenerator<string> {
      yield "1";
      yield "2";
    }
    const router = new Router().get("/", () => sse(ticks())).get("/list", () => Reply.sse([{ id: "1" }]));
    expect(await ask(router, "/")).toMatchObject({
      contentType: "text/event-stream",
      headers: [["cache-control", "no-cache"]],
      text: "data: 1\n\ndata: 2\n\n",
    });
    expect((await ask(router, "/list")).text).toBe("id: 1\n\n");
  });

  test("ends when the sending function settles", async () => {
    const answer = sse(async (stream) => {
      await stream.send("a");
      await stream.comment("c");
      void stream.send("b");
    });
    expect((await readAnswer(answer)).text).toBe("data: a\n\n: c\n\ndata: b\n\n");
  });

  test("stays open until close() when the function gives nothing", async () => {
    const answer = sse((stream) => {
      setTimeout(() => {
        void stream.send("late");
        stream.close();
        void stream.send("too late");
      }, 1);
    });
    expect((await readAnswer(answer)).text).toBe("data: late\n\n");
  });

  test("send waits until the event is taken, and tells when the peer is gone", async () => {
    const log: string[] = [];
    let kept: EventStream | null = null;
    const answer = sse(async (stream) => {
      kept = stream;
      stream.onClose(() => log.push("closed"));
      for (let i = 0; i < 9; i++) log.push(`${i} ${await stream.send(`${i}`)}`);
    });
    const iterator = (answer.body as AsyncIterable<string>)[Symbol.asyncIterator]();
    expect(log).toEqual([]);
    expect((await iterator.next()).value).toBe("data: 0\n\n");
    await Promise.resolve();
    expect(log).toEqual(["0 true"]);
    await iterator.return!();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(log.slice(0, 4)).toEqual(["0 true", "closed", "1 false", "2 false"]);
    expect(kept!.closed).toBe(true);
  });

  test("a reader that leaves while it waits is let go at once", async () => {
    const answer = sse(() => {});
    const iterator = (answer.body as AsyncIterable<string>)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await iterator.return!();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  test("an error of the sending function breaks the stream after what was sent", async () => {
    const answer = sse(async (stream) => {
      void stream.send("a");
      throw new Error("source failed");
    });
    const iterator = (answer.body as AsyncIterable<string>)[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe("data: a\n\n");
    await expect(iterator.next()).rejects.toThrow("source failed");
  });
});
