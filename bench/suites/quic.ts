/*
 * QUIC: the suite's list of measures. Each file beside this one explains its own.
 */
import { cachedCertificate } from "../../host/server/development_certificate.ts";
import { certificateFolder } from "../paths.ts";
import type { Suite } from "../suite.ts";
import { handshakes } from "./quic-handshakes.ts";
import { idleConnection, manyConnections } from "./quic-memory.ts";
import { protection } from "./quic-protection.ts";
import { download, pairDownload, pairUpload, upload } from "./quic-transfers.ts";

export const quic: Suite = {
  name: "quic",
  async prepare() {
    await cachedCertificate(certificateFolder);
  },
  measures: [
    protection,
    download,
    upload,
    pairDownload,
    pairUpload,
    handshakes,
    idleConnection,
    manyConnections,
  ],
};
