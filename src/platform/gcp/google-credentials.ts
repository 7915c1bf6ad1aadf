import { readFileSync } from 'node:fs';
import { Compute, GoogleAuth, gaxios, gcpMetadata, type IdTokenClient, type JWTInput } from 'google-auth-library';
import { DoorError } from '../../model/door-error.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { GcpSettings } from './gcp-settings.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** Milliseconds. */
const ANSWER = 10_000;
/** Bytes of an answer. Tokens have a few thousand. */
const MOST_BYTES = 1 << 20;
const NO_PROJECT =
  'project ID not available in the credentials, please specify your project ID in the GCP configuration';

boundRequests(gaxios.Gaxios);

/** Who Talon is to Google Cloud. The tokens are kept until shortly before they end. */
export interface GoogleCredentials {
  readonly project: string;
  /** For Google's own APIs: the value of an `Authorization` header. @throws DoorError */
  forApis(signal: AbortSignal): Promise<string>;
  /** For a service of the user, which is the audience. @throws DoorError */
  forService(audience: string, signal: AbortSignal): Promise<string>;
}

/** @throws TalonError of code `actionners`, in the words of Falco Talon where those are fixed */
export async function openGoogleCredentials(settings: GcpSettings): Promise<GoogleCredentials> {
  const given = settings.credentials_path === '' ? undefined : readCredentials(settings.credentials_path);
  const named = settings.project_id || given?.project_id || '';
  if (given && !named) throw unusable(NO_PROJECT);
  const auth = new GoogleAuth({
    scopes: SCOPE,
    ...(given && { credentials: given }),
    // Without one the library would run a program to find it.
    projectId: named || 'unknown',
    clientOptions: {
      transporterOptions: { retryConfig: { retry: 1, noResponseRetries: 1 } },
    },
  });
  const client = await auth.getClient().catch((error: Error) => {
    const what = given ? 'unable to load credentials from file' : 'unable to find default credentials';
    throw unusable(`${what}: ${error.message}`);
  });
  const project = named || (await projectOf(auth, client));
  if (!project) throw unusable(NO_PROJECT);
  const services = new Map<string, Promise<IdTokenClient>>();
  return {
    project,
    forApis: async (signal) => {
      const { token } = await answered(() => client.getAccessToken(), signal);
      return `Bearer ${token ?? ''}`;
    },
    forService: async (audience, signal) => {
      const service = services.get(audience) ?? auth.getIdTokenClient(audience);
      services.set(audience, service);
      service.catch(() => services.delete(audience));
      const headers = await answered(async () => (await service).getRequestHeaders(), signal);
      return headers.get('authorization') ?? '';
    },
  };
}

/** The project that default credentials are of: their file names it, or the machine is in one. */
async function projectOf({ jsonContent }: GoogleAuth, client: unknown): Promise<string> {
  const { project_id } = (jsonContent ?? {}) as JWTInput;
  if (project_id) return project_id;
  const machine: unknown = client instanceof Compute ? await gcpMetadata.project('project-id').catch(() => '') : '';
  return typeof machine === 'string' ? machine : '';
}

/** Falco Talon takes the content of the file where it says path, and its documentation says path: both are right. */
function readCredentials(given: string): JWTInput {
  const text = given.trimStart().startsWith('{') ? given : readText(given);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'type' in value) return value as JWTInput;
  } catch {
    // What the parser says shows a piece of the file.
  }
  throw unusable('unable to load credentials from file: it is no JSON object with a `type`');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    throw unusable(`unable to load credentials from file: ${code}`);
  }
}

interface TokenError extends Error {
  readonly code?: unknown;
  readonly status?: number;
  readonly response?: { readonly status?: number };
}

/** What the library answers before the signal ends; it knows no signals. @throws DoorError */
async function answered<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let giveUp = () => {};
  const ended = new Promise<never>((_, reject) => {
    giveUp = () => reject(new DoorError('deadline', 'given up before it was done'));
  });
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([ask(), ended]);
  } catch (error) {
    throw tokenFailure(error);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Without a cause: that has the request, and so the credentials. */
function tokenFailure(error: unknown): DoorError {
  if (error instanceof DoorError) return error;
  const { message, code, response, status = response?.status } = error as TokenError;
  const [line = ''] = message.split('\n');
  if (status === undefined) return new DoorError(typeof code === 'string' ? 'unreachable' : 'refused', line);
  return new DoorError(status === 429 || status >= 500 ? 'busy' : 'refused', line);
}

function unusable(message: string): TalonError {
  return new TalonError('actionners', message);
}

/** Limits all requests of the library: what asks metadata servers and exchanges tokens takes no options of its users. */
function boundRequests({ prototype }: typeof gaxios.Gaxios): void {
  const send = prototype.request;
  prototype.request = function request<T>(this: gaxios.Gaxios, options: gaxios.GaxiosOptions = {}) {
    return send.call<gaxios.Gaxios, [gaxios.GaxiosOptions], gaxios.GaxiosPromise<T>>(this, {
      ...{ size: MOST_BYTES, timeout: ANSWER },
      ...options,
    });
  };
}
