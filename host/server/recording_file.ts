// Recordings of a server's engine instances as files: written when an instance fails, and when the server closes.
//
// The first instance's is the file that the option names; those of others have a number behind it. Nobody but the owner may
// read them, since they hold what peers sent, secrets included.

import { Recorder } from "../engine/index.ts";

export class RecordingFile {
  readonly #file: string;
  readonly #recorders: Recorder[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** The recorder of one more instance. */
  recorder(): Recorder {
    const recorder = new Recorder();
    this.#recorders.push(recorder);
    return recorder;
  }

  /** Writes what is kept. Rejects when a file cannot be written. */
  async save(): Promise<void> {
    const { rename, writeFile } = await import("node:fs/promises");
    for (const [index, recorder] of this.#recorders.entries()) {
      const file = index === 0 ? this.#file : `${this.#file}.${index + 1}`;
      // A reader sees the old recording or the new one.
      await writeFile(`${file}.tmp`, recorder.toText(), { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    }
  }
}
