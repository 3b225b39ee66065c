/** What handlers in AssemblyScript import. The entry of a build adds the kind of WASI: stdio.ts, preopened.ts or component.ts. */
import { Exchange, Listener } from "./exchange.ts";
import { route } from "./routes.ts";
import { jsonString, percentDecoded, textOf } from "./text.ts";

export { Exchange, jsonString, Listener, percentDecoded, route, textOf };
