import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { StoreTarget } from '../model/targets.ts';
import { createGcpAdapters } from './gcp/gcp-adapters.ts';
import { createMinioAdapters } from './minio/minio-adapters.ts';
import { contentSpool, testArtifact } from './test-artifact.ts';
import { wholeArtifact } from './whole-artifact.ts';

const CONTENT = 'evidence '.repeat(20_000);
const artifact = testArtifact(CONTENT);

/** A spool in which the artifact is not what it was. */
const spoolOf = (content: string): ArtifactSpool => ({ ...contentSpool, read: () => contentSpool.read(content) });

const DAMAGED = [
  ['cut off', CONTENT.slice(0, 100_000), 'the artifact was damaged: 100000 bytes are left of 180000'],
  ['empty', '', 'the artifact was damaged: 0 bytes are left of 180000'],
  ['longer', `${CONTENT}${CONTENT.slice(0, 9)}`, 'the artifact was damaged: 180009 bytes are left of 180000'],
  ['changed', CONTENT.replace('e', 'E'), 'the artifact was damaged: its bytes are others than were written'],
] as const;

describe('wholeArtifact', () => {
  it('gives the bytes as they were written', async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of wholeArtifact(contentSpool, artifact)) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(CONTENT);
  });

  it.each(DAMAGED)('gives never as many bytes of one that is %s, and says so', async (_, content, message) => {
    let bytes = 0;
    const read = async () => {
      for await (const chunk of wholeArtifact(spoolOf(content), artifact)) bytes += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ code: 'refused', message });
    expect(bytes).toBeLessThan(artifact.size);
  });

  it('says that a file is gone', async () => {
    const gone: ArtifactSpool = {
      ...contentSpool,
      // biome-ignore lint/correctness/useYield: it fails before
      async *read() {
        throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      },
    };
    await expect(wholeArtifact(gone, artifact).next()).rejects.toMatchObject({
      code: 'refused',
      message: 'the artifact was lost: its file is gone',
    });
  });
});

describe('an upload of a damaged artifact', () => {
  let server: Server;
  let complete = 0;
  const host = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store: StoreTarget = { kind: 'store', category: 'gcp', name: 'forensics', prefix: '', region: '' };

  beforeAll(async () => {
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        if (request.method === 'PUT') complete += 1;
        response.writeHead(200, { location: `http://${host()}/session` }).end();
      });
      request.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it.each((['minio.put', 'gcs.put'] as const).flatMap((door) => DAMAGED.map((damage) => [door, ...damage] as const)))(
    '%s breaks it off at once: %s',
    async (door, _, content, message) => {
      const spool = spoolOf(content);
      const minio = createMinioAdapters({ endpoint: host(), access_key: 'a', secret_key: 'b', use_ssl: false }, spool);
      const gcp = createGcpAdapters(
        { credentials_path: '', project_id: '', storageEmulator: `http://${host()}` },
        spool,
      );
      const put = { ...minio.adapters, ...gcp.adapters }[door](store, artifact, 'k', {}, AbortSignal.timeout(3_000));
      await expect(put).rejects.toMatchObject({ code: 'refused', message });
      expect(complete).toBe(0);
      await Promise.all([minio.close(), gcp.close()]);
    },
  );
});
