/*
 * HTTP/1.1: the suite's list of measures. Each file beside this one explains its own.
 */
import { requireWrk } from "../load/wrk.ts";
import { installPeers } from "../peers.ts";
import type { Suite } from "../suite.ts";
import { idleConnections } from "./h1-idle.ts";
import { parse } from "./h1-parse.ts";
import { echo, jsonRoute, pipelinedGet, smallGet } from "./h1-requests.ts";
import { moduleSize, startToFirstAnswer } from "./h1-start.ts";
import { download, stalledDownload, stalledUpload, upload } from "./h1-transfers.ts";

export const h1: Suite = {
  name: "h1",
  async prepare(options) {
    requireWrk();
    installPeers(options.progress);
  },
  measures: [
    smallGet,
    pipelinedGet,
    jsonRoute,
    echo,
    download,
    upload,
    stalledDownload,
    stalledUpload,
    idleConnections,
    parse,
    moduleSize,
    startToFirstAnswer,
  ],
};
