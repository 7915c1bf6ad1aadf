import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { checkAllowed } from '../allowed-functions.ts';
import { checkBucketName } from '../bucket-name.ts';
import { OnceOpened } from '../once-opened.ts';
import { checkFunctionName } from './function-name.ts';
import type { GcpSettings } from './gcp-settings.ts';

/** The doors that lead to Google Cloud, and what else is asked of it. */
export interface GcpAdapters {
  readonly adapters: AdaptersOf<'functions' | 'gcs'>;
  /** @throws DoorError for a bucket that is not there */
  readonly checkStore: (store: StoreTarget, signal: AbortSignal) => Promise<void>;
  /**
   * Finds the credentials and the project. With a stand-in for Cloud Storage none are needed before a function is called.
   *
   * @throws TalonError of code `actionners`; the next call tries again
   */
  readonly init: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Nothing is loaded, read or asked before `init`, or a door that comes before it. */
export function createGcpAdapters(settings: GcpSettings, spool: ArtifactSpool): GcpAdapters {
  const google = new OnceOpened(async () => {
    const { openGoogleCloud } = await import('./google-cloud.ts');
    return openGoogleCloud(settings, spool);
  });
  return {
    adapters: {
      'functions.call': async (called, seconds, signal) => {
        checkFunctionName(called);
        checkAllowed(settings.allowed_functions, `${called.location}/${called.name}`);
        return (await google.get()).call(called, seconds, signal);
      },
      'gcs.put': async (store, artifact, key, facts, signal) => {
        checkBucketName(store.name);
        await (await google.get()).put({ store, artifact, key, facts }, signal);
      },
    },
    checkStore: async ({ name }, signal) => {
      checkBucketName(name);
      await (await google.get()).checkBucket(name, signal);
    },
    init: async () => {
      await (await google.get()).init();
    },
    close: async () => {
      const opened = await google.peek()?.catch(() => undefined);
      await opened?.close();
    },
  };
}
