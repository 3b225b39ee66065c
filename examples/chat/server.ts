// A chat with rooms: one page, and one WebSocket for everybody in it, over HTTP/1.1 and, by https, over HTTP/2.
//
// What somebody says is encoded once and published to the room. The last lines of a room are kept in memory, for those who come
// later; a room nobody is in is forgotten.

import { readFileSync } from "node:fs";
import { App, closeOnSignals, developmentCertificate, HttpError, reply } from "httpy";

/** What both sides send and understand, as JSON in text messages. */
type Line =
  | { kind: "joined" | "left"; name: string; present: number }
  | { kind: "said"; name: string; text: string; at: string };

interface Guest {
  name: string;
  room: string;
}

const LINES_KEPT = 50;
const LONGEST_NAME = 24;
const LONGEST_TEXT = 1000;

// Programs of this folder are started from the project's root.
const page = readFileSync("examples/chat/page.html", "utf8");
const lines = new Map<string, string[]>();
const app = new App();

app.get("/", () => reply(page, { contentType: "text/html; charset=utf-8" }));

app.ws<"/rooms/:room", Guest>("/rooms/:room", {
  compression: true,
  // JSON of the longest text, when each of its characters is written as an escape.
  maxMessageBytes: 6 * LONGEST_TEXT + 100,

  upgrade(req) {
    const name = req.searchParams.get("name")?.trim() ?? "";
    if (name === "" || name.length > LONGEST_NAME) {
      throw new HttpError(400, `a name has 1 to ${LONGEST_NAME} characters`);
    }
    return { data: { name, room: req.params.room } };
  },

  open(ws) {
    const { name, room } = ws.data;
    for (const line of lines.get(room) ?? []) ws.send(line);
    ws.subscribe(room);
    tell(room, { kind: "joined", name, present: server.subscriberCount(room) });
  },

  message(ws, message) {
    const text = textOf(message);
    if (text === null) return ws.close(1008, `a text of 1 to ${LONGEST_TEXT} characters is expected`);
    const { name, room } = ws.data;
    const line = tell(room, { kind: "said", name, text, at: new Date().toISOString() });
    const kept = lines.get(room) ?? [];
    kept.push(line);
    lines.set(room, kept.slice(-LINES_KEPT));
  },

  close(ws) {
    const { name, room } = ws.data;
    const present = server.subscriberCount(room);
    if (present === 0) lines.delete(room);
    else tell(room, { kind: "left", name, present });
  },
});

function tell(room: string, line: Line): string {
  const text = JSON.stringify(line);
  server.publish(room, text);
  return text;
}

/** What somebody wants to say; null when the message is none of ours. */
function textOf(message: string | Uint8Array): string | null {
  if (typeof message !== "string") return null;
  try {
    const { text } = JSON.parse(message) as { text?: unknown };
    return typeof text === "string" && text !== "" && text.length <= LONGEST_TEXT ? text : null;
  } catch {
    return null;
  }
}

const host = "localhost";
const server = await app.listen({
  listeners: [
    { host, port: Number(process.env["PORT"] ?? 3000) },
    { host, port: Number(process.env["TLS_PORT"] ?? 3443), tls: await developmentCertificate() },
  ],
});
closeOnSignals(server);
console.log(`listening on ${server.urls.join(" and ")}`);
