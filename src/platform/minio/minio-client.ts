import { GetBucketLocationCommand, S3Client } from '@aws-sdk/client-s3';
import type { DoorError } from '../../model/door-error.ts';
import { boundAnswers } from '../s3/bound-answers.ts';
import { NO_LOG } from '../s3/no-log.ts';
import { sdkFailure, sdkStatus } from '../s3/sdk-failure.ts';
import type { MinioSettings } from './minio-settings.ts';

export { checkBucket, putObject } from '../s3/bucket-objects.ts';

/** Milliseconds. */
const CONNECT = 5_000;
const SILENCE = 60_000;
/** What a server is in that nobody gave a region. */
const NO_REGION = 'us-east-1';

/** Clients of a MinIO server. They take nothing of what the environment says about AWS. */
export class MinioServer {
  readonly #open: (region: string) => S3Client;
  #client: S3Client;

  constructor(endpoint: string, { access_key, secret_key }: MinioSettings) {
    this.#open = (region) =>
      boundAnswers(
        new S3Client({
          ...{ endpoint, region },
          forcePathStyle: true,
          credentials: { accessKeyId: access_key, secretAccessKey: secret_key },
          useFipsEndpoint: false,
          useDualstackEndpoint: false,
          logger: NO_LOG,
          maxAttempts: 1,
          requestHandler: { connectionTimeout: CONNECT, socketTimeout: SILENCE },
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }),
      );
    this.#client = this.#open(NO_REGION);
  }

  /**
   * Does something with a bucket. Where the server refuses it for the region that the signature names, it is asked for the right
   * one, and it is done once more.
   *
   * @throws DoorError
   */
  async withBucket(bucket: string, act: (client: S3Client) => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await act(this.#client);
    } catch (error) {
      // The answer to a HEAD has no body that would say so.
      const { name, cause } = error as DoorError;
      if (name !== 'DoorError' || sdkStatus(cause ?? {}) !== 400) throw error;
      const region = await this.#regionOf(bucket, signal);
      if (!region || region === (await this.#client.config.region())) throw error;
      this.#client.destroy();
      this.#client = this.#open(region);
      await act(this.#client);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #regionOf(bucket: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const asked = new GetBucketLocationCommand({ Bucket: bucket });
      return (await this.#client.send(asked, { abortSignal: signal })).LocationConstraint;
    } catch (error) {
      throw sdkFailure(error, signal);
    }
  }
}
