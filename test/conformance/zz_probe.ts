import { createHash, X509Certificate } from "node:crypto";
import { Browser, findBrowser } from "../runtime/browser.ts";
import { startContract } from "../runtime/contract_process.ts";
const server = await startContract();
const key = new X509Certificate(server.cert).publicKey.export({ type: "spki", format: "der" });
const browser = new Browser(findBrowser()!, [
  `--log-net-log=/tmp/chr/netlog.json`, `--net-log-capture-mode=Everything`,
  `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
  `--origin-to-force-quic-on=${new URL(server.secure).hostname}:1`,
]);
const page = await browser.open(`${server.secure}/`);
const MOVE = `(async () => {
  for (let asked = 0; asked < 100; asked++) {
    const url = location.origin + '/json?' + asked;
    await (await fetch(url)).text();
    const [entry] = performance.getEntriesByName(url);
    if (entry?.nextHopProtocol === 'h3') { performance.clearResourceTimings(); return 'h3'; }
    await new Promise((wake) => setTimeout(wake, 50));
  }
  return 'h2 still';
})()`;
console.log(await page.evaluate(MOVE));
const path = process.argv[2] ?? "/trailers";
console.log(JSON.stringify(await page.evaluate(`(async () => { const out = [];
 for (let i = 0; i < 20; i++) { try { out.push((await (await fetch('${path}?'+i)).text()).length); } catch (e) { out.push(String(e)); }  await new Promise((w) => setTimeout(w, 30)); }
 return out; })()`)));
await browser.quit();
await server.stop();
