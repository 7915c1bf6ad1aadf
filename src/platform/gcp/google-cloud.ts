import { Agent } from 'undici';
import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { Invoked } from '../../model/capability.ts';
import type { FunctionTarget } from '../../model/targets.ts';
import { OnceOpened } from '../once-opened.ts';
import { CloudFunctions } from './call-function.ts';
import type { GcpSettings } from './gcp-settings.ts';
import { checkGcsBucket, type GcsMeans, type GcsUpload, putGcsObject } from './gcs-objects.ts';
import { openGoogleCredentials } from './google-credentials.ts';

/** Google Cloud, as far as Talon has to do with it. All throw DoorErrors but `init`. */
export interface GoogleCloud {
  call(called: FunctionTarget, seconds: number, signal: AbortSignal): Promise<Invoked>;
  put(upload: GcsUpload, signal: AbortSignal): Promise<void>;
  checkBucket(bucket: string, signal: AbortSignal): Promise<void>;
  /** Finds the credentials, unless none are needed. @throws TalonError; the next call tries again */
  init(): Promise<void>;
  close(): Promise<void>;
}

const STORAGE = 'https://storage.googleapis.com';
const FUNCTIONS = 'https://cloudfunctions.googleapis.com';
/** Milliseconds. */
const CONNECT = 5_000;
const SILENCE = 60_000;

/** Reads and asks nothing yet. */
export function openGoogleCloud(settings: GcpSettings, spool: ArtifactSpool): GoogleCloud {
  const { storageEmulator, functionsEndpoint } = settings;
  const forStorage = new Agent({ connect: { timeout: CONNECT }, headersTimeout: SILENCE, bodyTimeout: SILENCE });
  // A function may be silent for as long as it works; the step has a deadline.
  const forFunctions = new Agent({ connect: { timeout: CONNECT }, headersTimeout: 0, bodyTimeout: SILENCE });
  const credentials = new OnceOpened(() => openGoogleCredentials(settings));
  const functions = new OnceOpened(async () => {
    const endpoint = withoutSlash(functionsEndpoint || FUNCTIONS);
    return new CloudFunctions({ credentials: await credentials.get(), dispatcher: forFunctions, endpoint });
  });
  const storage = async (signal: AbortSignal): Promise<GcsMeans> => ({
    ...{ endpoint: withoutSlash(storageEmulator || STORAGE), dispatcher: forStorage, spool },
    authorization: storageEmulator ? undefined : await (await credentials.forDoor()).forApis(signal),
  });
  return {
    call: async (called, seconds, signal) => (await functions.forDoor()).call(called, seconds, signal),
    put: async (upload, signal) => putGcsObject(upload, await storage(signal), signal),
    checkBucket: async (bucket, signal) => checkGcsBucket(bucket, await storage(signal), signal),
    init: async () => {
      if (!storageEmulator) await credentials.get();
    },
    close: async () => {
      await Promise.all([forStorage.destroy(), forFunctions.destroy()]);
    },
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
