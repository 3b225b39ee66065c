// The application answers what the page fetches below /app/; everything else goes to the network.
import { app } from "./app.js";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (new URL(event.request.url).pathname.startsWith("/app/")) event.respondWith(app.fetch(event.request));
});
