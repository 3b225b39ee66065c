// The smallest server: text, a parameter, JSON both ways, and an answer for errors.

import { App, closeOnSignals, HttpError } from "httpy";

const app = new App();

app.get("/", () => "Hello, World!");
app.get("/hello/:name", (req) => `Hello, ${req.params.name}!`);
app.post("/sum", async (req) => {
  const numbers = await req.json<number[]>();
  if (!Array.isArray(numbers)) throw new HttpError(400, "an array of numbers is needed");
  return { sum: numbers.reduce((sum, number) => sum + number, 0) };
});
app.onError(HttpError, (error) => Response.json({ error: error.message }, { status: error.status }));

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server);
console.log(`listening on ${server.urls[0]}`);
