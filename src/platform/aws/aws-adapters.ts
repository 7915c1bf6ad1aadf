import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { ContextAnswer } from '../../model/context-sources.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { checkAllowed } from '../allowed-functions.ts';
import { checkBucketName } from '../bucket-name.ts';
import { OnceOpened } from '../once-opened.ts';
import type { AwsSettings } from './aws-settings.ts';
import type { LambdaPresence } from './invoke-lambda.ts';

/** The doors that lead to AWS, and what else is asked of it. */
export interface AwsAdapters {
  readonly adapters: AdaptersOf<'lambda' | 's3'>;
  /** @throws DoorError for a bucket that is not there */
  readonly checkStore: (store: StoreTarget, signal: AbortSignal) => Promise<void>;
  /** What the instance says of itself that Talon runs on. Needs no credentials. */
  readonly context: (signal: AbortSignal) => Promise<ContextAnswer>;
  /**
   * Finds credentials and asks STS whether they are good.
   *
   * @throws TalonError of code `actionners`; the next call tries again
   */
  readonly init: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Nothing is loaded, read or asked before `init`, or a door that comes before it. */
export function createAwsAdapters(settings: AwsSettings, spool: ArtifactSpool): AwsAdapters {
  const aws = new OnceOpened(() => open(settings));
  return {
    adapters: {
      'lambda.invoke': async (called, how, signal) => {
        checkAllowed(settings.allowed_functions, called.name);
        const { session, presence, sdk } = await aws.forDoor();
        await presence.check(session.lambda, called, signal);
        return sdk.invokeLambda(session.lambda, called, how, signal);
      },
      's3.put': async (store, artifact, key, facts, signal) => {
        checkBucketName(store.name, { arns: true });
        const { session, sdk } = await aws.forDoor();
        const means = { client: session.s3(store.region), spool, keepsChecksum: true };
        await sdk.putObject({ store, artifact, key, facts }, means, signal);
      },
    },
    checkStore: async ({ name, region }, signal) => {
      checkBucketName(name, { arns: true });
      const { session, sdk } = await aws.forDoor();
      await sdk.checkBucket(session.s3(region), name, signal);
    },
    context: async (signal) => {
      const { instanceContext } = await import('./imds.ts');
      return instanceContext(settings.metadataEndpoint, signal);
    },
    init: async () => {
      try {
        await aws.get();
      } catch (error) {
        throw new TalonError('actionners', (error as Error).message, { cause: error });
      }
    },
    close: async () => {
      const opened = await aws.peek()?.catch(() => undefined);
      opened?.session.close();
    },
  };
}

/** @throws DoorError */
async function open(settings: AwsSettings) {
  const sdk = await import('./aws-sdk.ts');
  const presence: LambdaPresence = new sdk.LambdaPresence();
  try {
    return { sdk, presence, session: await sdk.openAwsSession(settings) };
  } catch (error) {
    throw sdk.sdkFailure(error);
  }
}
