// The bare engine from plain JavaScript, without the host of this project: `node examples/embedding/server.mjs [FILE]`.
// docs/abi.md has the numbers: layout lanes 1 receive, 3 transmit, 5 command, 9 to 12 events, 18 entropy.
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2] ?? "build/engine.wasm"));
const engine = instance.exports;
engine.memory.grow(1024 - engine.memory.buffer.byteLength / 65536);
const bytes = new Uint8Array(engine.memory.buffer);
const words = new Uint32Array(engine.memory.buffer);
const layout = words.subarray(engine.layout() >>> 2);
crypto.getRandomValues(bytes.subarray(layout[18], layout[18] + layout[19]));
const now = () => performance.now();
if (engine.initialize(now()) !== 0) throw new Error("the engine does not start");
engine.setDate(Date.now());
setInterval(() => engine.setDate(Date.now()), 1000).unref();
setInterval(() => act(() => engine.handleTimeout(now())), 250).unref();

const sockets = new Map();

/** Calls the engine, and does what it then tells: an event is 8 words, the first its kind. */
function act(call) {
  const result = call();
  while (words[layout[12] >>> 2] !== words[layout[11] >>> 2]) {
    const at = (layout[9] >>> 2) + (words[layout[12] >>> 2]++ & (layout[10] - 1)) * 8;
    const [kind, exchange, connection, a] = words.subarray(at, at + 4);
    const socket = sockets.get(connection);
    if ((kind & 0xffff) === 1) answer(exchange, a >>> 2);
    else if ((kind & 0xffff) === 6) engine.releaseExchange(exchange);
    else if ((kind & 0xffff) === 16) socket?.pause();
    else if ((kind & 0xffff) === 17) socket?.resume();
    else if ((kind & 0xffff) === 18) setImmediate(() => (kind >>> 16 ? socket?.destroy() : socket?.end()));
    else if ((kind & 0xffff) === 20) setImmediate(() => flush(connection));
  }
  return result;
}

/** REQUEST: `head` is the index of its first word; 4 and 5 are the target. Answered with flag RELEASE. */
function answer(exchange, head) {
  const target = Buffer.from(bytes.subarray(words[head + 4], words[head + 4] + words[head + 5])).toString(
    "latin1",
  );
  const body = new TextEncoder().encode(`You asked for ${target}\n`);
  const value = new TextEncoder().encode("text/plain");
  const field = Uint8Array.of(20, 0, 0, 0, value.length, 0, 0, 0, ...value); // name 20 is content-type
  bytes.set(field, layout[5]);
  bytes.set(body, layout[5] + field.length);
  engine.respond(exchange, 200, layout[5], field.length, layout[5] + field.length, body.length, 8);
}

function flush(connection) {
  const socket = sockets.get(connection);
  if (socket === undefined) return;
  for (let len; (len = act(() => engine.pollTransmit(connection))) > 0;)
    socket.write(bytes.slice(layout[3], layout[3] + len));
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const connection = engine.openConnection(1, 0, 0, now());
  if (connection < 0) return socket.destroy();
  sockets.set(connection, socket);
  socket.on("data", (chunk) => {
    for (let at = 0; at < chunk.length && sockets.has(connection);) {
      const piece = chunk.subarray(at, at + layout[2]);
      bytes.set(piece, layout[1]);
      const taken = act(() => engine.receive(connection, 0, piece.length, now()));
      if (taken < 0) return socket.destroy();
      at += taken;
    }
    flush(connection);
  });
  socket.on("end", () => (act(() => engine.receiveEnd(connection, now())), flush(connection)));
  socket.on("error", () => {});
  socket.on("close", () => sockets.delete(connection) && act(() => engine.closeConnection(connection)));
});
server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
