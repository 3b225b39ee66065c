/*
 * HTTP/2: the suite's list of measures. Each file beside this one explains its own.
 */
import { cachedCertificate } from "../../host/server/development_certificate.ts";
import { requireH2load } from "../load/h2load.ts";
import { certificateFolder } from "../paths.ts";
import { installPeers } from "../peers.ts";
import type { Suite } from "../suite.ts";
import { hpackDecode, hpackSize } from "./h2-hpack.ts";
import { idleConnection, openStream } from "./h2-memory.ts";
import { streams, streamsTls } from "./h2-requests.ts";
import { download, stalledDownload, stalledUpload, upload } from "./h2-transfers.ts";

export const h2: Suite = {
  name: "h2",
  async prepare(options) {
    requireH2load();
    installPeers(options.progress);
    await cachedCertificate(certificateFolder);
  },
  measures: [
    streams,
    streamsTls,
    download,
    upload,
    stalledDownload,
    stalledUpload,
    hpackDecode,
    hpackSize,
    idleConnection,
    openStream,
  ],
};
