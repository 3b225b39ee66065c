// Web streams, as the tests of WebTransport read and write them.

/** Everything that is still to be read, one character for each byte. */
export async function textOf(readable: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readable) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}

/** Writes a text and ends the stream. */
export async function writeText(writable: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(Buffer.from(text));
  await writer.close();
}

/** The next value, which has to come. */
export async function nextOf<T>(readable: ReadableStream<T>): Promise<T> {
  const reader = readable.getReader();
  const { value, done } = await reader.read();
  reader.releaseLock();
  if (done) throw new Error("it has ended");
  return value;
}
