// One process per connection, with the connection as its standard input and output, as inetd does it:
//
//   node examples/wasi/inetd.mjs 8080 wasmtime run build/wasi/stdio.wasm
//   node examples/wasi/inetd.mjs 8080 wazero run build/wasi/stdio.wasm
//   node examples/wasi/inetd.mjs 8080 node --no-warnings examples/wasi/run.mjs build/wasi/stdio.wasm

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { argv } from "node:process";

const [, , port, command, ...args] = argv;
if (command === undefined) throw new TypeError("usage: inetd.mjs PORT COMMAND [ARGUMENT …]");

const server = createServer({ pauseOnConnect: true }, (socket) => {
  const child = spawn(command, args, { stdio: [socket, socket, "inherit"] });
  child.on("error", (error) => console.error(error.message));
  // The process has the connection now; this one only lets go of it.
  socket.on("error", () => {});
  child.on("exit", () => socket.destroy());
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
