import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ArtifactSpool } from '../model/artifact-spool.ts';
import type { StoreTarget } from '../model/targets.ts';
import { createGcpAdapters } from './gcp/gcp-adapters.ts';
import { createMinioAdapters } from './minio/minio-adapters.ts';
import { testArtifact } from './test-artifact.ts';

/** A store that takes the beginning of an upload, and then nothing more. */
let server: Server;
const sockets = new Set<Socket>();
const host = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
  server = createServer((request, response) => {
    if (request.method === 'PUT') return void request.pause();
    response.writeHead(200, { location: `http://${host()}/session` }).end();
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const MIB = 2 ** 20;
const SIZE = 500 * MIB;

/** A spool with one large artifact, which counts what is read of it. */
function countingSpool() {
  const read = { bytes: 0, ended: false };
  const piece = new Uint8Array(64 * 1024);
  const spool: ArtifactSpool = {
    write: () => Promise.reject(new Error('nothing is written here')),
    async *read() {
      try {
        for (; read.bytes < SIZE; read.bytes += piece.length) yield piece;
      } finally {
        read.ended = true;
      }
    },
  };
  return { read, spool };
}

const store: StoreTarget = { kind: 'store', category: 'gcp', name: 'forensics', prefix: '', region: '' };
const artifact = { ...testArtifact('x'), size: SIZE };

it.each(['minio.put', 'gcs.put'] as const)('%s reads no more of an artifact than the network takes', async (door) => {
  const { read, spool } = countingSpool();
  const minio = createMinioAdapters({ endpoint: host(), access_key: 'a', secret_key: 'b', use_ssl: false }, spool);
  const gcp = createGcpAdapters({ credentials_path: '', project_id: '', storageEmulator: `http://${host()}` }, spool);
  const controller = new AbortController();
  const put = { ...minio.adapters, ...gcp.adapters }[door](store, artifact, 'k', {}, controller.signal);
  const failure = put.catch((error: unknown) => error);
  let seen = -1;
  // Until nothing more is taken: what is in the buffers of the network was taken.
  while (read.bytes === 0 || seen !== read.bytes) {
    seen = read.bytes;
    await delay(300);
  }
  expect(read.bytes).toBeLessThan(32 * MIB);
  controller.abort();
  expect(await failure).toMatchObject({ code: 'deadline' });
  await expect.poll(() => read.ended).toBe(true);
  await Promise.all([minio.close(), gcp.close()]);
});
