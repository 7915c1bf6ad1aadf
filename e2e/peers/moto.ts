import { freePort } from '../cluster/free-port.ts';
import { pythonPath } from '../components/python-peers.ts';
import { Bucket } from './bucket.ts';
import { answers, type Peer, startPeer } from './peer.ts';
import { signedRequest } from './signed-request.ts';

/** moto takes any keys; these are the ones it is called with from outside of the product. */
const KEYS = { accessKey: 'tester', secretKey: 'tester-secret' };

/** A request that moto has recorded. */
export interface RecordedCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** moto: S3, STS and Lambda of an AWS account that is empty. Lambda answers each call with what it was given. */
export interface Moto extends Peer {
  bucket(name: string): Promise<Bucket>;
  /** Makes a function with this name. */
  makeLambda(name: string): Promise<void>;
  /** A call that is none of S3, such as `sts`, by a form. */
  query(service: string, form: Readonly<Record<string, string>>): Promise<Response>;
  /** Calls a function, as the product does. */
  invoke(name: string, payload: string): Promise<Response>;
  /** What it was asked since `record`. */
  recorded(): Promise<readonly RecordedCall[]>;
  /** Begins to record, with nothing recorded yet. */
  record(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startPeer({
    name: 'moto',
    url,
    command: () => [pythonPath(), '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    isReady: () => answers(`${url}/moto-api/`),
  });
  // Without this it looks for docker to run functions in.
  await mustFetch(`${url}/moto-api/config`, { method: 'POST', body: '{"lambda":{"use_docker":false}}' });
  return {
    url,
    stop,
    bucket: (name) => Bucket.make(url, name, KEYS),
    makeLambda: (name) => makeLambda(url, name),
    query: (service, form) => query(url, service, form),
    invoke: (name, payload) =>
      call(url, 'lambda', 'POST', `/2015-03-31/functions/${encodeURIComponent(name)}/invocations`, payload),
    async recorded() {
      const lines = await mustFetch(`${url}/moto-api/recorder/download-recording`);
      return lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as RecordedCall & { readonly body_encoded?: boolean })
        .map((each) => (each.body_encoded ? { ...each, body: Buffer.from(each.body, 'base64').toString() } : each));
    },
    async record() {
      await mustFetch(`${url}/moto-api/recorder/reset-recording`, { method: 'POST' });
      await mustFetch(`${url}/moto-api/recorder/start-recording`, { method: 'POST' });
    },
  };
}

async function makeLambda(url: string, name: string): Promise<void> {
  const form = { Action: 'CreateRole', Version: '2010-05-08', RoleName: name, AssumeRolePolicyDocument: '{}' };
  const role = await (await query(url, 'iam', form)).text();
  const definition = {
    FunctionName: name,
    Runtime: 'python3.11',
    Role: /<Arn>([^<]+)<\/Arn>/.exec(role)?.[1],
    Handler: 'function.handle',
    Code: { ZipFile: EMPTY_ARCHIVE },
  };
  const made = await call(url, 'lambda', 'POST', '/2015-03-31/functions', JSON.stringify(definition));
  if (made.status !== 201)
    throw new Error(`making the function was answered with ${made.status}: ${await made.text()}`);
}

/** A ZIP file without entries, in base64: moto only wants to see that there is one. */
const EMPTY_ARCHIVE = Buffer.from(`PK\x05\x06${'\0'.repeat(18)}`, 'latin1').toString('base64');

function query(url: string, service: string, form: Readonly<Record<string, string>>): Promise<Response> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return call(url, service, 'POST', '/', new URLSearchParams(form).toString(), headers);
}

function call(
  url: string,
  service: string,
  method: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<Response> {
  return signedRequest(KEYS, { method, url: new URL(path, url), service, headers, body });
}

async function mustFetch(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}: ${text}`);
  return text;
}
