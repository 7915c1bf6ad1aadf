/** Bytes of a refusal that are read. What stands before an API server may say anything, for ever. */
const MOST_OF_REFUSAL = 256 * 1024;
/** Bytes of a good answer: a list of all pods of a large cluster has some tens of MiB. */
const MOST_OF_ANSWER = 128 * 2 ** 20;

type Body = AsyncIterable<Uint8Array>;

/** The beginning of a body as text. The rest is not waited for. */
export async function refusalText(body: Body, most = MOST_OF_REFUSAL): Promise<string> {
  const { bytes } = await readSome(body, most);
  return bytes.toString();
}

/** A whole body as text. @throws Error for one that is too long */
export async function answerText(body: Body, most = MOST_OF_ANSWER): Promise<string> {
  const { bytes, isWhole } = await readSome(body, most);
  if (!isWhole) throw new Error(`the answer has more than ${most} bytes`);
  return bytes.toString();
}

async function readSome(body: Body, most: number): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let left = most;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    // Ends the connection, too.
    if (left < 0) return { bytes: Buffer.concat(chunks), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}
