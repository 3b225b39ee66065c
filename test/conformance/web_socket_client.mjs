// Talks to `/ws` with a WebSocket that follows the standard, and prints a line for each check: its name, a tab, and what is wrong,
// if anything. Runs as it is on Node, Deno and Bun.
//
//     node web_socket_client.mjs PLAIN_URL SECURE_URL [MODULE]    MODULE exports WebSocket; without it the runtime's own is taken

const [plain, secure, module] = process.argv.slice(2);
const { WebSocket } = module === undefined ? globalThis : await import(module);
const PATIENCE_MS = 45_000;

/** @param {string} url */
async function open(url) {
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  await new Promise((resolve, reject) => {
    ws.onopen = resolve;
    ws.onerror = (event) => reject(new Error(`no WebSocket: ${event.message ?? event.error ?? event.type}`));
  });
  ws.onerror = null;
  return ws;
}

/** The next messages, as strings and bytes. */
function messages(ws, count) {
  return new Promise((resolve, reject) => {
    const got = [];
    ws.onmessage = ({ data }) => {
      got.push(typeof data === "string" ? data : Buffer.from(data));
      if (got.length === count) resolve(got);
    };
    ws.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });
}

function closed(ws) {
  return new Promise((resolve) => {
    ws.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
  });
}

function same(got, expected, what) {
  const isSame = Buffer.isBuffer(expected) ? Buffer.isBuffer(got) && expected.equals(got) : got === expected;
  if (!isSame) throw new Error(`${what} came back as something else`);
}

const checks = {
  async echoes(url) {
    const ws = await open(url);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
      const text = "aé€z".repeat(size / 4 + 1).slice(0, size);
      const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 2_654_435_761) >>> 13));
      const both = messages(ws, 2);
      ws.send(text);
      ws.send(bytes);
      const got = await both;
      same(got[0], text, `text of ${size}`);
      same(got[1], bytes, `bytes of ${size}`);
    }
    ws.close();
  },

  async "a thousand in order"(url) {
    const ws = await open(url);
    const texts = Array.from({ length: 1000 }, (_, index) => `message ${index} `.repeat(100));
    const all = messages(ws, texts.length);
    for (const text of texts) ws.send(text);
    (await all).forEach((text, index) => same(text, texts[index], `message ${index}`));
    ws.close();
  },

  // At once: a client that does not end its side of a stream hears of the end only when the server's patience is over, after 30 s.
  async closes(url) {
    const ends = [
      [1000, ""],
      [3000, "é€"],
      [4999, "x".repeat(123)],
    ];
    const one = async ([code, reason]) => {
      const ws = await open(url);
      const end = closed(ws);
      ws.close(code, reason);
      const got = await end;
      if (got.code !== code) throw new Error(`${code} ended as ${JSON.stringify(got)}`);
    };
    await Promise.all(ends.map(one));
  },

  async "too large"(url) {
    const ws = await open(url);
    const end = closed(ws);
    ws.send(new Uint8Array((16 << 20) + 1));
    const { code } = await end;
    // A client that is still sending may see the connection end before it has read the close frame.
    if (code !== 1009 && code !== 1006) throw new Error(`ended with ${code}`);
  },
};

for (const [way, url] of [
  ["plain", plain],
  ["TLS", secure],
]) {
  for (const [name, check] of Object.entries(checks)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("no end")), PATIENCE_MS);
    });
    const problem = await Promise.race([check(url), late]).then(
      () => "",
      (error) => String(error.message ?? error).replaceAll(/\s+/g, " "),
    );
    clearTimeout(timer);
    console.log(`${name}, ${way}\t${problem}`);
  }
}
process.exit(0);
