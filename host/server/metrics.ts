// The server's metrics in the text format of Prometheus, by prom-client: what the engines count, read when asked.

import type { Counter as CounterMetric } from "prom-client";
import type { EnginePool } from "./engine_pool.ts";

const PREFIX = "httpy_";
const GAUGES = new Set([
  "connections_open",
  "exchanges_open",
  "memory_bytes_in_use",
  "sessions_wt_open",
  "web_sockets_open",
]);
/** Counters that are kept per protocol: one metric with a label. */
const BY_PROTOCOL = /^(?<name>connections|exchanges)_(?<protocol>h1|h2|h3|ws)$/u;

/** One scrape. */
export async function renderMetrics(pool: EnginePool): Promise<string> {
  // Loaded when first asked for: a server that nobody scrapes starts without it.
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  const registers = [registry];
  const perProtocol = new Map<string, CounterMetric<"protocol">>();
  for (const [name, value] of pool.counters()) {
    const match = BY_PROTOCOL.exec(name)?.groups;
    if (match !== undefined) {
      const metric = `${PREFIX}${match["name"]}_total`;
      const help = `${match["name"]} since the start, by protocol`;
      const counter =
        perProtocol.get(metric) ?? new Counter({ name: metric, help, labelNames: ["protocol"], registers });
      perProtocol.set(metric, counter);
      counter.inc({ protocol: match["protocol"] }, value);
    } else if (GAUGES.has(name)) {
      new Gauge({ name: PREFIX + name, help: `${words(name)} now`, registers }).set(value);
    } else {
      new Counter({ name: `${PREFIX}${name}_total`, help: `${words(name)} since the start`, registers }).inc(
        value,
      );
    }
  }
  const hits = new Counter({
    name: `${PREFIX}limit_hits_total`,
    help: "how often each limit was hit",
    labelNames: ["limit"],
    registers,
  });
  for (const [limit, value] of pool.limitHits()) hits.inc({ limit }, value);
  new Counter({
    name: `${PREFIX}instance_failures_total`,
    help: "engine instances that failed and were replaced",
    registers,
  }).inc(pool.failureCount);
  new Counter({
    name: `${PREFIX}connections_refused_total`,
    help: "connections that no instance had room for",
    registers,
  }).inc(pool.refusedCount);
  return registry.metrics();
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}
