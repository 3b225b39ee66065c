/*
 * HTTP/3: the suite's list of measures. Each file beside this one explains its own.
 */
import { cachedCertificate } from "../../host/server/development_certificate.ts";
import { certificateFolder } from "../paths.ts";
import type { Suite } from "../suite.ts";
import { idle } from "./h3-memory.ts";
import { lossyObjects } from "./h3-loss.ts";
import { streams } from "./h3-requests.ts";
import { firstByte, resumedFirstByte } from "./h3-simulation.ts";
import { download } from "./quic-transfers.ts";

export const h3: Suite = {
  name: "h3",
  async prepare() {
    await cachedCertificate(certificateFolder);
  },
  measures: [streams, download, idle, firstByte, resumedFirstByte, lossyObjects],
};
