import type { S3Client } from '@aws-sdk/client-s3';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import { isHttpUrl } from '../../model/http-url.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { checkBucketName } from '../bucket-name.ts';
import { OnceOpened } from '../once-opened.ts';
import type { MinioSettings } from './minio-settings.ts';

/** The door that leads to a MinIO server, and what else is asked of it. */
export interface MinioAdapters {
  readonly adapters: AdaptersOf<'minio'>;
  /** @throws DoorError for a bucket that is not there */
  readonly checkStore: (store: StoreTarget, signal: AbortSignal) => Promise<void>;
  /** Checks the settings and loads the client, without a call. @throws TalonError of code `outputs` */
  readonly init: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Nothing is loaded before `init`, or a door that comes before it. */
export function createMinioAdapters(settings: MinioSettings, spool: ArtifactSpool): MinioAdapters {
  const minio = new OnceOpened(async () => {
    const endpoint = endpointUrl(settings);
    const sdk = await import('./minio-client.ts');
    return { sdk, server: new sdk.MinioServer(endpoint, settings) };
  });
  return {
    adapters: {
      'minio.put': async (store, artifact, key, facts, signal) => {
        checkBucketName(store.name);
        const { sdk, server } = await minio.forDoor();
        const put = (client: S3Client) =>
          sdk.putObject({ store, artifact, key, facts }, { client, spool, keepsChecksum: false }, signal);
        await server.withBucket(store.name, put, signal);
      },
    },
    checkStore: async ({ name }, signal) => {
      checkBucketName(name);
      const { sdk, server } = await minio.forDoor();
      await server.withBucket(name, (client) => sdk.checkBucket(client, name, signal), signal);
    },
    init: async () => {
      await minio.get();
    },
    close: async () => {
      const opened = await minio.peek()?.catch(() => undefined);
      opened?.server.close();
    },
  };
}

/** @throws TalonError in the words of Falco Talon's client */
function endpointUrl({ endpoint, use_ssl }: MinioSettings): string {
  const host = endpoint.replace(/\/$/, '');
  if (/[/?#@\\]/.test(host))
    throw new TalonError('outputs', 'Endpoint url cannot have fully qualified paths. (minio.endpoint)');
  const url = `${use_ssl ? 'https' : 'http'}://${host}`;
  if (!/^[A-Za-z0-9._:[\]-]+$/.test(host) || !isHttpUrl(url)) {
    throw new TalonError(
      'outputs',
      `Endpoint: ${host} does not follow ip address or domain name standards. (minio.endpoint)`,
    );
  }
  return url;
}
