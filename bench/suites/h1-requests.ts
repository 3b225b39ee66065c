/*
 * Request rates over HTTP/1.1: a small GET, the same pipelined, a JSON route, a 64 KiB echo.
 *
 * The raw `node:net` peer takes part only where one request is in flight per connection and every request is the
 * same; it is a ceiling, not a server.
 */
import { compareRequests } from "../compare.ts";
import type { Measure } from "../suite.ts";

const CONNECTION_COUNT = 64;
const PIPELINE_DEPTH = 16;
const ECHO_CONNECTION_COUNT = 16;
const ECHO_BODY_LEN = 64 * 1024;
const FRAMEWORKS = ["fastify", "hono", "express"];

const HELLO = { status: 200, contentType: "text/plain", body: "Hello, World!" };

export const smallGet: Measure = {
  name: "small-get",
  title: `Small GET, ${CONNECTION_COUNT} connections`,
  peers: ["raw-net", "node-http", ...FRAMEWORKS, "httpy"],
  async run(options) {
    const series = await compareRequests(
      {
        peers: options.selectPeers(this.peers),
        path: "/",
        load: { connectionCount: CONNECTION_COUNT },
        expected: HELLO,
      },
      options,
    );
    return {
      unit: "requests/s",
      better: "higher",
      series,
      bars: [
        { kind: "ratio", subject: "httpy", peer: "raw-net", direction: "at least", factor: 1.05 },
        { kind: "ratio", subject: "httpy", peer: "node-http", direction: "at least", factor: 2 },
      ],
      notes: ["raw-net parses nothing and writes one constant answer per read."],
    };
  },
};

export const pipelinedGet: Measure = {
  name: "pipelined-get",
  title: `Small GET, ${CONNECTION_COUNT} connections, ${PIPELINE_DEPTH} requests pipelined`,
  peers: ["node-http", ...FRAMEWORKS, "httpy"],
  async run(options) {
    const series = await compareRequests(
      {
        peers: options.selectPeers(this.peers),
        path: "/",
        load: { connectionCount: CONNECTION_COUNT, pipelineDepth: PIPELINE_DEPTH },
        expected: HELLO,
      },
      options,
    );
    return {
      unit: "requests/s",
      better: "higher",
      series,
      bars: [{ kind: "ratio", subject: "httpy", peer: "node-http", direction: "at least", factor: 8 }],
      notes: [],
    };
  },
};

export const jsonRoute: Measure = {
  name: "json-route",
  title: `JSON from GET /users/:id behind two middlewares, ${CONNECTION_COUNT} connections`,
  peers: [...FRAMEWORKS, "httpy"],
  async run(options) {
    const series = await compareRequests(
      {
        peers: options.selectPeers(this.peers),
        path: "/users/42",
        load: { connectionCount: CONNECTION_COUNT },
        expected: {
          status: 200,
          contentType: "application/json",
          body: '{"id":"42"}',
          headers: { "x-first": "1", "x-second": "2" },
        },
      },
      options,
    );
    return {
      unit: "requests/s",
      better: "higher",
      series,
      bars: [{ kind: "ratio", subject: "httpy", peer: "fastify", direction: "at least", factor: 1.7 }],
      notes: ["Each middleware sets one response field."],
    };
  },
};

export const echo: Measure = {
  name: "echo",
  title: `POST of ${ECHO_BODY_LEN / 1024} KiB echoed, ${ECHO_CONNECTION_COUNT} connections`,
  peers: ["node-http", "httpy"],
  async run(options) {
    const series = await compareRequests(
      {
        peers: options.selectPeers(this.peers),
        path: "/",
        load: { connectionCount: ECHO_CONNECTION_COUNT, method: "POST", bodyLen: ECHO_BODY_LEN },
        expected: { status: 200, contentType: "application/octet-stream", body: "x".repeat(ECHO_BODY_LEN) },
      },
      options,
    );
    return {
      unit: "requests/s",
      better: "higher",
      series,
      bars: [{ kind: "ratio", subject: "httpy", peer: "node-http", direction: "at least", factor: 1.2 }],
      notes: ["The whole body is read before the answer begins."],
    };
  },
};
