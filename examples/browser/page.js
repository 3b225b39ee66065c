// The page: steps through a request, then asks the same application in a worker and through a service worker.
import { PortSocket } from "./httpy.js";
import { Steps } from "./steps.js";

const at = (id) => document.getElementById(id);
let steps;

const requestText = () => at("request").value.replaceAll(/\r?\n/g, "\r\n");

function show() {
  const text = requestText();
  const taken = document.createElement("mark");
  taken.textContent = text.slice(0, steps.offset);
  at("bytes").replaceChildren(taken, text.slice(steps.offset));
  at("state").textContent = `${steps.offset} of ${text.length} bytes`;
  at("events").replaceChildren(
    ...steps.events.map((line) => Object.assign(document.createElement("li"), { textContent: line })),
  );
  at("answer").textContent = steps.sent;
}

function step() {
  const text = requestText();
  if (steps.offset >= text.length) return false;
  steps.feed(text.charCodeAt(steps.offset) & 0xff);
  return true;
}

async function again() {
  steps = await Steps.create();
  show();
}

at("step").addEventListener("click", () => (step(), show()));
at("run").addEventListener("click", () => {
  while (step());
  show();
});
at("reset").addEventListener("click", again);
at("request").addEventListener("input", again);

/** Sends bytes to a server behind a message port, and resolves with what came back when the server has ended. */
export function overPort(port, request) {
  return new Promise((resolve, reject) => {
    let received = "";
    const receiveBuffer = new Uint8Array(65_536);
    const socket = new PortSocket(port);
    socket.start({
      receiveBuffer,
      onBytes: (length) => {
        for (let i = 0; i < length; i++) received += String.fromCharCode(receiveBuffer[i]);
      },
      onEnd: () => socket.end(),
      onDrain: () => {},
      onClose: (error) => (error === null ? resolve(received) : reject(error)),
    });
    socket.writeText(request);
  });
}

export async function startWorker() {
  const worker = new Worker("worker.js", { type: "module" });
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = (event) => reject(new Error(event.message));
  });
  return {
    connect() {
      const { port1, port2 } = new MessageChannel();
      worker.postMessage("connect", [port2]);
      return port1;
    },
  };
}

/** Resolves once the service worker answers this page's requests. */
export async function startServiceWorker() {
  await navigator.serviceWorker.register("service_worker.js", { type: "module", scope: "./" });
  await navigator.serviceWorker.ready;
  if (navigator.serviceWorker.controller === null) {
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
    );
  }
}

await again();
const worker = await startWorker();
const ask = "GET /app/users/7 HTTP/1.1\r\nhost: page\r\nconnection: close\r\n\r\n";
at("worker").textContent = await overPort(worker.connect(), ask);
await startServiceWorker();
const answer = await fetch("/app/users/7");
at("service-worker").textContent = `${answer.status} ${await answer.text()}`;
document.documentElement.dataset.state = "complete";
