// What leaves the server for what a handler gave: framing, sizes, statuses without content, and replies that cannot be sent.

import { describe, expect, test } from "vitest";
import { Reply } from "../../../host/router/index.ts";
import { ask, get, RawClient, request } from "./client.ts";
import { run } from "./running.ts";

describe("content that is there already", () => {
  const sizes = [0, 1, 100, 4095, 4096, 16383, 16384, 16385, 65536, 262143, 262144, 262145, 1_000_003];
  test.each(sizes)("text of %i characters arrives whole", async (size) => {
    const text = "abcdefghijklmnopqrstuvwxyz".repeat(Math.ceil(size / 26)).slice(0, size);
    const { port } = await run((app) => {
      app.get("/", () => text);
      app.get("/fields", () => Reply.text(text).set("x-a", "b"));
      app.get("/bytes", () => new TextEncoder().encode(text));
    });
    const client = await RawClient.open(port);
    for (const path of ["/", "/fields", "/bytes", "/"]) {
      const { status, body, headers } = await client.write(get(path)).response();
      expect(status).toBe(200);
      expect(headers.get("content-length")).toBe(String(size));
      expect(body.toString("latin1") === text).toBe(true);
    }
    client.close();
  });

  test.each([5461, 5462, 16384, 20000, 100_000])(
    "text of %i characters outside of ASCII is measured in bytes",
    async (size) => {
      const text = "€".repeat(size);
      const { port } = await run((app) => void app.get("/", () => text));
      const { headers, body } = await ask(port, get("/"));
      expect(headers.get("content-length")).toBe(String(size * 3));
      expect(body.toString("utf8") === text).toBe(true);
    },
  );

  test("half a surrogate pair becomes U+FFFD and the next response follows in its place", async () => {
    const text = `${"a".repeat(30)}\ud800${"b".repeat(20000)}\udc00`;
    const { port } = await run((app) => void app.get("/", () => text));
    const client = await RawClient.open(port);
    client.write(get("/") + get("/"));
    for (let i = 0; i < 2; i++) {
      const { body } = await client.response();
      expect(body.toString("utf8")).toBe(`${"a".repeat(30)}\ufffd${"b".repeat(20000)}\ufffd`);
    }
    client.close();
  });
});

describe("answers without content", () => {
  const statuses = [204, 205, 304];
  test.each(statuses)(
    "%i loses the content that a handler gives it and keeps the connection",
    async (status) => {
      let returned = 0;
      const endless = {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ done: false as const, value: "x" }),
          return: () => {
            returned++;
            return Promise.resolve({ done: true as const, value: undefined });
          },
        }),
      };
      const { port, log } = await run((app) => {
        app.get("/text", () => Reply.text("no content", status));
        app.get("/long", () => Reply.text("x".repeat(50_000), status).set("x-a", "1"));
        app.get("/stream", () => Reply.stream(endless, "text/plain", status));
        app.get("/trailers", () => Reply.text("t", status).withTrailers({ "x-t": "1" }));
        app.get("/ok", () => "ok");
      });
      const client = await RawClient.open(port);
      for (const path of ["/text", "/long", "/stream", "/trailers"]) {
        const { status: told, headers, body } = await client.write(get(path)).response();
        expect(told).toBe(status);
        expect(body.length).toBe(0);
        expect(headers.get("transfer-encoding")).toBeUndefined();
        expect(headers.get("content-length")).toBe(status === 205 ? "0" : undefined);
      }
      expect((await client.write(get("/ok")).response()).body.toString()).toBe("ok");
      expect(returned).toBe(1);
      expect(log.errors).toEqual([]);
      client.close();
    },
  );

  test("HEAD has the fields of GET, and none for a length that is not known", async () => {
    let isCancelled = false;
    const { port } = await run((app) => {
      app.get("/text", () => "hello");
      app.get("/big", () => "x".repeat(300_000));
      app.get("/empty", () => Reply.text(""));
      app.get("/stream", () =>
        Reply.stream(new ReadableStream({ cancel: () => void (isCancelled = true) }), "text/plain"),
      );
      app.get("/sized", () => Reply.stream(new ReadableStream(), "text/plain").set("content-length", 12));
    });
    const client = await RawClient.open(port);
    const lengths: (string | undefined)[] = [];
    for (const path of ["/text", "/big", "/empty", "/stream", "/sized", "/text"]) {
      const { status, headers, body } = await client.write(request("HEAD", path)).response("HEAD");
      expect(status).toBe(200);
      expect(body.length).toBe(0);
      lengths.push(headers.get("content-length"));
    }
    expect(lengths).toEqual(["5", "300000", "0", undefined, "12", "5"]);
    expect(isCancelled).toBe(true);
    expect((await client.write(get("/text")).response()).body.toString()).toBe("hello");
    client.close();
  });
});
