import type { Peer } from './peer.ts';
import { type RecordedRequest, type Reply, startRecorder } from './recorder.ts';

/** What the project and its service account are called. */
export const PROJECT = 'e2e-project';
export const ACCESS_TOKEN = 'ya29.access-secret-4a7d';

/** How a function answers a call. */
export type CloudFunction = (request: RecordedRequest) => Reply | Promise<Reply>;

/**
 * What a program on a machine of Google Cloud finds there: the metadata server, which gives tokens, and Cloud Functions. No
 * program of Google's can be run for it, so this is an endpoint of the test run; it refuses calls without its tokens.
 */
export interface Google extends Peer {
  /** Environment of a program that runs there. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes a function. Its location is `us-central1`. */
  deploy(name: string, how: CloudFunction): void;
  readonly requests: readonly RecordedRequest[];
}

const METADATA = '/computeMetadata/v1';
const FUNCTIONS = `/v2/projects/${PROJECT}/locations/us-central1/functions/`;
const NOT_FOUND: Reply = {
  status: 404,
  body: '{"error":{"code":404,"message":"Resource not found","status":"NOT_FOUND"}}',
};

export async function startGoogle(): Promise<Google> {
  const functions = new Map<string, CloudFunction>();
  const recorder = await startRecorder();
  const { url, requests, stop } = recorder;
  recorder.reply((request) => {
    const { pathname, searchParams } = new URL(request.target, url);
    if (pathname.startsWith(METADATA)) return metadata(pathname.slice(METADATA.length), searchParams);
    if (pathname.startsWith(FUNCTIONS))
      return describeFunction(functions, request, url, pathname.slice(FUNCTIONS.length));
    const called = functions.get(pathname.slice('/run/'.length));
    if (called === undefined) return NOT_FOUND;
    return request.headers.authorization === `Bearer ${identityToken(`${url}${pathname}`)}`
      ? called(request)
      : { status: 401 };
  });
  return {
    url,
    requests,
    stop,
    deploy: (name, how) => void functions.set(name, how),
    env: {
      GCE_METADATA_HOST: url.slice('http://'.length),
      METADATA_SERVER_DETECTION: 'assume-present',
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDFUNCTIONS: url,
    },
  };
}

function metadata(path: string, parameters: URLSearchParams): Reply {
  const account = '/instance/service-accounts/default';
  const values: Readonly<Record<string, string>> = {
    '/project/project-id': PROJECT,
    '/universe/universe-domain': 'googleapis.com',
    [`${account}/email`]: `talon@${PROJECT}.iam.gserviceaccount.com`,
    [`${account}/token`]: JSON.stringify({ access_token: ACCESS_TOKEN, expires_in: 3600, token_type: 'Bearer' }),
    [`${account}/identity`]: identityToken(parameters.get('audience') ?? ''),
  };
  const headers = {
    'metadata-flavor': 'Google',
    'content-type': path.endsWith('/token') ? 'application/json' : 'text/plain',
  };
  const value = values[path];
  return value === undefined
    ? { status: path === '/instance' ? 200 : 404, headers }
    : { status: 200, headers, body: value };
}

function describeFunction(
  functions: ReadonlyMap<string, CloudFunction>,
  { headers }: RecordedRequest,
  url: string,
  name: string,
): Reply {
  if (headers.authorization !== `Bearer ${ACCESS_TOKEN}`) return { status: 401, body: '{"error":{"code":401}}' };
  if (!functions.has(name)) return NOT_FOUND;
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `${FUNCTIONS.slice(4)}${name}`, serviceConfig: { uri: `${url}/run/${name}` } }),
  };
}

/** A token that says for whom it is. Nobody here checks its signature. */
function identityToken(audience: string): string {
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ aud: audience, exp: 4_102_444_800 })}.c2lnbmF0dXJl`;
}
