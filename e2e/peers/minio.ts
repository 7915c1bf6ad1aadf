import { freePort } from '../cluster/free-port.ts';
import { componentPath } from '../components/catalog.ts';
import { Bucket } from './bucket.ts';
import { answers, type Peer, startPeer } from './peer.ts';
import type { AwsKeys } from './signed-request.ts';

/** A MinIO server, which checks each signature. */
export interface Minio extends Peer {
  /** `host:port`, as its clients are configured. */
  readonly endpoint: string;
  readonly keys: AwsKeys;
  bucket(name: string): Promise<Bucket>;
}

export async function startMinio(): Promise<Minio> {
  const [port, consolePort] = [await freePort(), await freePort()];
  const endpoint = `127.0.0.1:${port}`;
  const url = `http://${endpoint}`;
  const keys = { accessKey: 'e2e-minio', secretKey: 'e2e-minio-secret-7d1f' };
  const { stop } = await startPeer({
    name: 'minio',
    url,
    command: (folder) => [
      ...[componentPath('minio'), 'server', '--address', endpoint],
      ...['--console-address', `127.0.0.1:${consolePort}`, `${folder}/data`],
    ],
    env: {
      MINIO_ROOT_USER: keys.accessKey,
      MINIO_ROOT_PASSWORD: keys.secretKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
    },
    isReady: () => answers(`${url}/minio/health/ready`),
  });
  return { url, endpoint, keys, stop, bucket: (name) => Bucket.make(url, name, keys) };
}
