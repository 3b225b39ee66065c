// Serves the page of this folder, with the package's browser bundle as httpy.js beside it.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { App, closeOnSignals, HttpError, reply } from "httpy";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};
const FILES = ["index.html", "app.js", "page.js", "steps.js", "worker.js", "service_worker.js"];
const PACKAGE = {
  "httpy.js": import.meta.resolve("httpy/browser"),
  "engine.wasm": import.meta.resolve("httpy/engine.wasm"),
};

const app = new App();
app.get("/", () => file("index.html"));
app.get("/:name", (req) => file(req.params.name));

async function file(name: string) {
  const fromPackage = Object.entries(PACKAGE).find(([known]) => known === name)?.[1];
  if (fromPackage === undefined && !FILES.includes(name)) throw new HttpError(404);
  const content = await readFile(
    fromPackage === undefined ? `examples/browser/${name}` : fileURLToPath(fromPackage),
  );
  return reply(content, { contentType: TYPES[name.split(".").at(-1)]! });
}

const server = await app.listen({ port: Number(process.env["PORT"] ?? 3000), host: "127.0.0.1" });
closeOnSignals(server);
console.log(`listening on ${server.urls[0]}`);
