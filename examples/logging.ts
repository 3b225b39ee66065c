// One logger for everything: each answer, errors nobody handled, and what the server itself has to say. Anything with the
// four methods debug, info, warn and error will do; here it is pino, and the log goes to standard error.

import { pino } from "pino";
import { accessLog, App, closeOnSignals } from "httpy";

const logger = pino({}, pino.destination({ dest: 2, sync: true }));

const app = new App({ logger });
app.use(
  accessLog({
    logger,
    skip: (req) => req.path === "/health",
    fields: (req) => ({ userAgent: req.header("user-agent") }),
  }),
);
app.get("/", () => "Hello, log!");
app.get("/health", () => "well");
app.get("/broken", () => {
  throw new Error("out of order");
});

const server = await app.listen({ host: "localhost", port: Number(process.env["PORT"] ?? 3000) });
closeOnSignals(server, { onClosed: (report) => logger.info(report, "closed") });
console.log(`listening on ${server.urls[0]}`);
