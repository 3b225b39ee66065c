/*
 * The report's chart: one group of horizontal bars per measure, one bar per peer, each relative to the longest of its
 * group, since the measures have different units. Plain SVG with no script, so that any Markdown viewer shows it.
 */
import { median } from "./rounds.ts";
import type { SuiteRun } from "./suite_run.ts";

const WIDTH = 820;
const LABEL_WIDTH = 110;
const FIGURE_WIDTH = 150;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 20;
const TITLE_HEIGHT = 34;
const MARGIN = 12;

const OWN_COLOUR = "#2563eb";
const PEER_COLOUR = "#94a3b8";
const OWN_NAMES = new Set(["httpy", "engine", "engine.wasm"]);

export function drawChart(run: SuiteRun): string {
  const shapes: string[] = [];
  let y = MARGIN;
  for (const { title, result } of run.outcomes) {
    if (!result || result.series.length < 2) continue;
    y += TITLE_HEIGHT;
    shapes.push(
      text(MARGIN, y - 10, `${title} (${result.unit}, ${result.better} is better)`, 'font-weight="600"'),
    );
    const medians = result.series.map(({ samples }) => median(samples.map(({ value }) => value)));
    const longest = Math.max(...medians, Number.MIN_VALUE);
    for (const [index, { peer }] of result.series.entries()) {
      const value = medians[index] as number;
      const width = Math.max(1, (value / longest) * (WIDTH - LABEL_WIDTH - FIGURE_WIDTH - 2 * MARGIN));
      const colour = OWN_NAMES.has(peer) ? OWN_COLOUR : PEER_COLOUR;
      const x = MARGIN + LABEL_WIDTH;
      const baseline = y + BAR_HEIGHT - 4;
      shapes.push(
        text(x - 8, baseline, peer, 'text-anchor="end"'),
        `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${colour}"/>`,
        text(x + width + 6, baseline, value.toLocaleString("en", { maximumSignificantDigits: 4 })),
      );
      y += ROW_HEIGHT;
    }
  }
  const height = y + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ' font-family="system-ui, sans-serif" font-size="12" fill="#0f172a">',
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...shapes,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}
