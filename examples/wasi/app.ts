/**
 * The routes of the WASI examples: handlers in AssemblyScript on the engine, a part of what examples/contract.ts answers.
 *
 * Handlers may use strings, arrays and classes: the module's heap is theirs. Functions cannot capture variables in
 * AssemblyScript, so what an exchange needs beyond one call is a field of a Listener.
 */
import { Exchange, jsonString, Listener, route } from "../../assembly/wasi/index.ts";

/** Byte i of `/bytes` is i mod 251; a piece of whole periods goes on with the pattern. */
const PERIOD: u32 = 251;
const PIECE: StaticArray<u8> = pattern(PERIOD * 64);
const ECHO_BYTES_MAX: u32 = 16 * 1024 * 1024;

/** Answers with the request's content, once all of it is there. */
class Echo extends Listener {
  private content: usize = 0;
  private len: u32 = 0;
  private room: u32 = 0;

  body(exchange: Exchange, ptr: usize, len: u32): void {
    if (this.len + len > ECHO_BYTES_MAX) return exchange.text("too much\n", 413);
    if (this.len + len > this.room) {
      this.room = max(2 * this.room, this.len + len);
      this.content = this.content == 0 ? heap.alloc(this.room) : heap.realloc(this.content, this.room);
    }
    memory.copy(this.content + this.len, ptr, len);
    this.len += len;
  }

  end(exchange: Exchange): void {
    exchange.bytes(this.content, this.len);
    this.closed(exchange);
  }

  closed(_exchange: Exchange): void {
    if (this.content != 0) heap.free(this.content);
    this.content = 0;
  }
}

/** Counts the request's content without keeping it. */
class Count extends Listener {
  private byteCount: u64 = 0;

  body(_exchange: Exchange, _ptr: usize, len: u32): void {
    this.byteCount += len;
  }

  end(exchange: Exchange): void {
    exchange.text(this.byteCount.toString());
  }
}

/** Writes the pattern as fast as the peer reads. */
class Pattern extends Listener {
  private sent: u64 = 0;

  constructor(private byteCount: u64) {
    super();
  }

  writable(exchange: Exchange): void {
    while (this.sent < this.byteCount) {
      const offset = <u32>(this.sent % PERIOD);
      const len = <u32>min(this.byteCount - this.sent, <u64>(PIECE.length - offset));
      const taken = exchange.write(changetype<usize>(PIECE) + offset, len);
      this.sent += taken;
      if (taken < len) return;
    }
    exchange.finish();
  }
}

function pattern(len: u32): StaticArray<u8> {
  const bytes = new StaticArray<u8>(len);
  for (let i: u32 = 0; i < len; i++) bytes[i] = <u8>(i % PERIOD);
  return bytes;
}

route("GET", "/", (exchange: Exchange) => {
  exchange.text("Hello, World!");
});

route("POST", "/", (exchange: Exchange) => {
  exchange.listen(new Echo());
});

route("PUT", "/", (exchange: Exchange) => {
  exchange.listen(new Echo());
});

route("*", "/echo", (exchange: Exchange) => {
  let lines = "";
  for (let i = 0; i < exchange.headerCount; i++) {
    lines += exchange.headerName(i) + ": " + exchange.headerValue(i) + "\n";
  }
  exchange.text(lines);
});

route("GET", "/json", (exchange: Exchange) => {
  exchange.json('{"message":"Hello, World!"}');
});

route("GET", "/users/:id", (exchange: Exchange) => {
  exchange.json('{"id":' + jsonString(exchange.param("id")) + "}");
});

route("GET", "/bytes/:n", (exchange: Exchange) => {
  const text = exchange.param("n");
  const byteCount = U64.parseInt(text);
  if (byteCount.toString() != text) return exchange.text("not a whole number\n", 400);
  if (exchange.method == "HEAD") return exchange.empty(200);
  const pattern = new Pattern(byteCount);
  if (!exchange.begin(200, "application/octet-stream", <f64>byteCount)) return exchange.cut();
  exchange.listen(pattern);
  pattern.writable(exchange);
});

route("POST", "/count", (exchange: Exchange) => {
  exchange.listen(new Count());
});
