import { Agent } from 'undici';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { checkBucketName } from '../bucket-name.ts';
import { OnceOpened } from '../once-opened.ts';
import { CloudFunctions, checkFunctionName } from './call-function.ts';
import type { GcpSettings } from './gcp-settings.ts';
import { checkGcsBucket, type GcsMeans, putGcsObject } from './gcs-objects.ts';
import type { GoogleCredentials } from './google-credentials.ts';

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

const STORAGE = 'https://storage.googleapis.com';
const FUNCTIONS = 'https://cloudfunctions.googleapis.com';
/** Milliseconds. */
const CONNECT = 5_000;
const SILENCE = 60_000;

/** Nothing is loaded, read or asked before `init`, or a door that comes before it. */
export function createGcpAdapters(settings: GcpSettings, spool: ArtifactSpool): GcpAdapters {
  const { storageEmulator, functionsEndpoint } = settings;
  const forStorage = new Agent({ connect: { timeout: CONNECT }, headersTimeout: SILENCE, bodyTimeout: SILENCE });
  // A function may be silent for as long as it works; the step has a deadline.
  const forFunctions = new Agent({ connect: { timeout: CONNECT }, headersTimeout: 0, bodyTimeout: SILENCE });
  const google = new OnceOpened(() => openGoogle(settings));
  const functions = new OnceOpened(async () => {
    const endpoint = withoutSlash(functionsEndpoint || FUNCTIONS);
    return new CloudFunctions({ credentials: await google.get(), dispatcher: forFunctions, endpoint });
  });
  const storage = async (signal: AbortSignal): Promise<GcsMeans> => ({
    ...{ endpoint: withoutSlash(storageEmulator || STORAGE), dispatcher: forStorage, spool },
    authorization: storageEmulator ? undefined : await (await google.forDoor()).forApis(signal),
  });
  return {
    adapters: {
      'functions.call': async (called, seconds, signal) => {
        checkFunctionName(called);
        return (await functions.forDoor()).call(called, seconds, signal);
      },
      'gcs.put': async (store, artifact, key, facts, signal) => {
        checkBucketName(store.name);
        await putGcsObject({ store, artifact, key, facts }, await storage(signal), signal);
      },
    },
    checkStore: async ({ name }, signal) => {
      checkBucketName(name);
      await checkGcsBucket(name, await storage(signal), signal);
    },
    init: async () => {
      if (!storageEmulator) await google.get();
    },
    close: async () => {
      await Promise.all([forStorage.destroy(), forFunctions.destroy()]);
    },
  };
}

async function openGoogle(settings: GcpSettings): Promise<GoogleCredentials> {
  const { openGoogleCredentials } = await import('./google-credentials.ts');
  return openGoogleCredentials(settings);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
