// What the datagram sockets of Bun and Deno do with what their runtimes tell. The real ones are held by the conformance suites on these
// runtimes (`npm run conformance -- HTTP/3`).

import { afterEach, expect, test, vi } from "vitest";
import { bindBunDatagrams } from "../../../host/transport/bun_datagrams.ts";
import type { DatagramSink } from "../../../host/transport/datagrams.ts";
import { bindDenoDatagrams, hasDenoDatagrams } from "../../../host/transport/deno_datagrams.ts";

afterEach(() => vi.unstubAllGlobals());

function recorder(): DatagramSink & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    onDatagram: (payload, host, port) => void told.push(`${payload.join()} from ${host} ${port}`),
    onClose: (error) => void told.push(error === null ? "close" : error.message),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("Bun: a datagram that fails for another peer's closed port is sent again, and both families share a socket", async () => {
  const sent: string[] = [];
  let failures = 1;
  let hears: (...args: unknown[]) => void = () => undefined;
  vi.stubGlobal("Bun", {
    udpSocket: (options: { hostname: string; socket: { data: typeof hears } }) => {
      hears = options.socket.data;
      return Promise.resolve({
        hostname: options.hostname,
        port: 7,
        send(payload: Uint8Array, port: number, host: string) {
          if (failures-- > 0) throw new Error("ECONNREFUSED");
          sent.push(`${payload.join()} to ${host} ${port}`);
          return true;
        },
        close: () => void sent.push("close"),
      });
    },
  });
  const sink = recorder();
  const socket = await bindBunDatagrams({}, sink);
  expect([socket.host, socket.port]).toEqual(["::", 7]);
  const onSent = vi.fn();
  socket.send(Uint8Array.of(1), "192.0.2.1", 9, 4, onSent);
  expect(onSent).toHaveBeenCalledOnce();
  socket.send(Uint8Array.of(2), "2001:db8::1", 9, 6);
  failures = 2;
  socket.send(Uint8Array.of(3), "2001:db8::1", 9, 6);
  hears(null, Uint8Array.of(4), 443, "::ffff:192.0.2.1");
  await socket.close();
  await socket.close();
  socket.send(Uint8Array.of(5), "192.0.2.1", 9, 4);
  await settled();
  expect(sent).toEqual(["1 to ::ffff:192.0.2.1 9", "2 to 2001:db8::1 9", "close"]);
  expect(sink.told).toEqual(["4 from ::ffff:192.0.2.1 443", "close"]);
});

test("Bun: the next address is tried where one cannot be bound, and a named one is the only one", async () => {
  vi.stubGlobal("Bun", {
    udpSocket: ({ hostname }: { hostname: string }) =>
      hostname === "::" ? Promise.reject(new Error("no IPv6")) : Promise.resolve({ hostname, port: 7 }),
  });
  expect((await bindBunDatagrams({}, recorder())).host).toBe("0.0.0.0");
  await expect(bindBunDatagrams({ host: "::" }, recorder())).rejects.toThrow("no IPv6");
});

test("Deno: the second datagram waits for the first, and closing ends the receiving", async () => {
  expect(hasDenoDatagrams()).toBe(false);
  const sent: string[] = [];
  const leaves: (() => void)[] = [];
  let arrives: (answer: [Uint8Array, object]) => void = () => undefined;
  let interrupts: (error: Error) => void = () => undefined;
  vi.stubGlobal("Deno", {
    listenDatagram: (addr: object) => ({
      addr,
      receive: () =>
        new Promise((resolve, reject) => {
          arrives = resolve;
          interrupts = reject;
        }),
      send(payload: Uint8Array, to: { hostname: string; port: number }) {
        sent.push(`${payload.join()} to ${to.hostname} ${to.port}`);
        return new Promise<void>((resolve) => leaves.push(resolve));
      },
      close: () => interrupts(new Error("Interrupted")),
    }),
  });
  expect(hasDenoDatagrams()).toBe(true);
  const sink = recorder();
  const socket = bindDenoDatagrams({ host: "127.0.0.1", port: 5 }, sink);
  socket.send(Uint8Array.of(1), "192.0.2.1", 9, 4);
  socket.send(Uint8Array.of(2), "192.0.2.1", 9, 4);
  expect(sent).toEqual(["1 to 192.0.2.1 9"]);
  leaves[0]?.();
  await settled();
  expect(sent).toEqual(["1 to 192.0.2.1 9", "2 to 192.0.2.1 9"]);
  // What has to wait leaves in any order: nobody is told before all have.
  const onSent = vi.fn();
  socket.send(Uint8Array.of(3), "192.0.2.1", 9, 4, onSent);
  leaves[2]?.();
  await settled();
  expect(onSent).not.toHaveBeenCalled();
  leaves[1]?.();
  await settled();
  expect(onSent).toHaveBeenCalledOnce();
  for (const number of [3, 4]) {
    arrives([Uint8Array.of(number), { hostname: "192.0.2.1", port: 443 }]);
    await settled();
  }
  await socket.close();
  await settled();
  socket.send(Uint8Array.of(5), "192.0.2.1", 9, 4);
  expect(sent.length).toBe(3);
  expect(sink.told).toEqual(["3 from 192.0.2.1 443", "4 from 192.0.2.1 443", "close"]);
});

test("Deno: what cannot be bound is the error of the last address", () => {
  vi.stubGlobal("Deno", {
    listenDatagram({ hostname }: { hostname: string }) {
      throw new Error(`no ${hostname}`);
    },
  });
  expect(() => bindDenoDatagrams({}, recorder())).toThrow("no 0.0.0.0");
});
