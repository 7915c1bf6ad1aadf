import { S3Client } from '@aws-sdk/client-s3';
import { NO_LOG } from '../s3/no-log.ts';
import type { MinioSettings } from './minio-adapters.ts';

export { checkBucket, putObject } from '../s3/bucket-objects.ts';

/** Milliseconds. */
const CONNECT = 5_000;
const SILENCE = 60_000;

/** A client that takes nothing of what the environment says about AWS. */
export function openMinioClient(endpoint: string, { access_key, secret_key }: MinioSettings): S3Client {
  return new S3Client({
    endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials: { accessKeyId: access_key, secretAccessKey: secret_key },
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    logger: NO_LOG,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT, socketTimeout: SILENCE },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
