import type { Dispatcher } from 'undici';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { ArtifactTarget } from '../../model/targets.ts';

/** Bytes of the body of an answer that are read where it is not kept, unless the request says. */
const LONGEST_BODY = 256 * 1024;
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/** The body of an answer: as text, or in the spool as an artifact of the name `response`. */
export async function readAnswer(
  { body, headers }: Dispatcher.ResponseData,
  spool: ArtifactSpool | undefined,
  wantedBytes = LONGEST_BODY,
): Promise<{ readonly body: string; readonly artifact: ArtifactTarget | null }> {
  if (!spool) return { body: await readText(body, wantedBytes), artifact: null };
  const [given = ''] = String(headers['content-type'] ?? '').split(';');
  const mediaType = MEDIA_TYPE.test(given.trim()) && given.length < 128 ? given.trim() : 'application/octet-stream';
  return { body: '', artifact: { kind: 'artifact', ...(await spool.write('response', mediaType, body)) } };
}

/** What comes after the limit is not waited for. */
async function readText(body: Dispatcher.ResponseData['body'], wantedBytes: number): Promise<string> {
  if (wantedBytes === 0) {
    await body.dump();
    return '';
  }
  const chunks: Uint8Array[] = [];
  let left = wantedBytes;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
