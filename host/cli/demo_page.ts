// The page of the demo and its style sheet. Nothing from a request is put into it but words of the server's own choice.

import type { Protocol, RouteListing } from "../index.ts";

const PROTOCOL_NAMES: Record<Protocol, string> = {
  "http/1.0": "HTTP/1.0",
  "http/1.1": "HTTP/1.1",
  h2: "HTTP/2",
  h3: "HTTP/3",
};

export const DEMO_STYLE = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 17px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }
h1 { font-size: 2.2rem; line-height: 1.2; margin: 0; }
header p { margin: .4rem 0 0; opacity: .8; }
.badge { font-size: .9rem; border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .7rem; }
section { border-top: 1px solid var(--line); margin-top: 1.6rem; padding-top: 1rem; }
h2 { font-size: 1.05rem; margin: 0 0 .3rem; }
p { margin: 0 0 .4rem; }
output, code { font: .9em ui-monospace, monospace; }
output { display: block; min-height: 1.6em; }
ul { padding-left: 1.2rem; }
`;

/** The page as seen over `protocol`. */
export function demoPage(
  protocol: Protocol,
  scheme: "http" | "https",
  routes: readonly RouteListing[],
  certificateHash: string | null,
): string {
  const listed = routes.map(({ method, pattern }) => `<li><code>${method} ${pattern}</code></li>`).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>HTTPy</title>
<link rel="stylesheet" href="/style.css">
<header>
<h1>HTTPy</h1>
<p>The bytes of this page's request were read, and those of its answer written, by a WebAssembly module.</p>
<p><span class="badge">${PROTOCOL_NAMES[protocol]}${scheme === "https" ? " over TLS" : ""}</span></p>
</header>
<section>
<h2>Answers</h2>
<p><a href="/json">JSON</a> · <a href="/hello/world">a parameter</a> · <a href="/search?q=one&amp;q=two">a query</a></p>
</section>
<section>
<h2>Streams</h2>
<p><a href="/stream">Ten lines</a>, one after the other. And a clock, by server-sent events:</p>
<output id="clock">…</output>
</section>
<section>
<h2>Uploads</h2>
<p>The bytes of a file are counted as they arrive; none are kept.</p>
<input id="file" type="file" aria-label="a file to count">
<output id="count"></output>
</section>
${scheme === "https" ? WEB_TRANSPORT : ""}<section>
<h2>Early hints</h2>
<p>This page's style sheet was announced with status 103 before the page was made:
<code>curl -ik ${scheme === "https" ? "https" : "http"}://…/</code> shows it.</p>
</section>
<section>
<h2>Metrics</h2>
<p><a href="/metrics">What the engine counts</a>, in the text format of Prometheus.</p>
</section>
<section>
<h2>All routes</h2>
<ul>
${listed}
</ul>
</section>
<script>
const show = (id, text) => { document.getElementById(id).textContent = text; };
new EventSource("/ticks").onmessage = ({ data }) => show("clock", data);
document.getElementById("file").onchange = async ({ target }) => {
  const [file] = target.files;
  if (file === undefined) return;
  show("count", "…");
  const answer = await fetch("/upload", { method: "POST", body: file });
  show("count", (await answer.json()).byteCount + " bytes");
};
${scheme === "https" ? webTransportScript(certificateHash) : ""}</script>
</html>
`;
}

const WEB_TRANSPORT = `<section>
<h2>WebTransport</h2>
<p>A text goes out on a stream and as a datagram of a session over HTTP/3, and comes back.</p>
<input id="text" value="Hello" aria-label="a text to send"> <button id="send">Send</button>
<output id="stream"></output>
<output id="datagram"></output>
</section>
`;

function webTransportScript(certificateHash: string | null): string {
  const hash = certificateHash === null ? "null" : JSON.stringify(certificateHash);
  return `const hash = ${hash};
const trust = hash === null ? {} : {
  serverCertificateHashes: [{ algorithm: "sha-256", value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }],
};
let opening = null;
const openSession = async () => {
  if (typeof WebTransport !== "function") throw new Error("this browser has no WebTransport");
  const session = new WebTransport(location.origin + "/echo", trust);
  session.closed.catch(() => undefined).then(() => { opening = null; });
  await session.ready;
  const datagrams = session.datagrams.readable.getReader();
  const told = () => datagrams.read().then(({ value, done }) => {
    if (done) return;
    show("datagram", "as a datagram: " + new TextDecoder().decode(value));
    return told();
  });
  told().catch(() => undefined);
  return session;
};
document.getElementById("send").onclick = async () => {
  try {
    const session = await (opening ??= openSession());
    const bytes = new TextEncoder().encode(document.getElementById("text").value);
    const began = performance.now();
    const datagram = session.datagrams.writable.getWriter();
    datagram.write(bytes);
    datagram.releaseLock();
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    writer.write(bytes);
    writer.close();
    const text = await new Response(readable).text();
    show("stream", "on a stream: " + text + " (" + (performance.now() - began).toFixed(1) + " ms)");
  } catch (error) {
    opening = null;
    show("stream", String(error));
  }
};
`;
}
