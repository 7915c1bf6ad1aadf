import { generateKeyPairSync } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DoorError } from '../../model/door-error.ts';
import type { FunctionTarget, StoreTarget } from '../../model/targets.ts';
import { type PeerReply, RecordingPeer, type SeenRequest } from '../recording-peer.ts';
import { contentSpool, testArtifact } from '../test-artifact.ts';
import { createGcpAdapters } from './gcp-adapters.ts';
import { type GcpSettings, gcpSettings } from './gcp-settings.ts';

const peer = new RecordingPeer();
const { signal } = new AbortController();
setMaxListeners(0, signal);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY = {
  ...{
    type: 'service_account',
    project_id: 'of-the-key',
    private_key_id: 'k',
    client_email: 't@x.iam.gserviceaccount.com',
  },
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};
let folder: string;

beforeAll(async () => {
  await peer.start();
  folder = await mkdtemp(path.join(tmpdir(), 'talon-gcp-'));
});
afterAll(async () => {
  await peer.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  for (const name of ['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('HOME', folder);
  vi.stubEnv('CLOUDSDK_CONFIG', folder);
  // Where the library asks for tokens, as on a machine of Google's.
  vi.stubEnv('GCE_METADATA_HOST', peer.host);
  vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present');
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const each of opened.splice(0)) await each.close();
});

function gcp(settings: Partial<GcpSettings> = {}) {
  const made = createGcpAdapters(
    { credentials_path: '', project_id: '', functionsEndpoint: peer.url, ...settings },
    contentSpool,
  );
  opened.push(made);
  return made;
}

const isMetadata = ({ line }: SeenRequest) => line.includes('/computeMetadata/');
const identityToken = () => `a.${Buffer.from('{"exp":4102444800}').toString('base64url')}.c`;

/** Answers as the metadata server of a machine does, and everything else with that. */
function answer(
  reply: (request: SeenRequest) => PeerReply,
  project: PeerReply = { status: 200, body: 'of-the-machine' },
) {
  peer.reply((request) => {
    if (!isMetadata(request)) return reply(request);
    const headers = { 'metadata-flavor': 'Google' };
    const given = (body: string, type = 'text/plain') => ({
      status: 200,
      headers: { ...headers, 'content-type': type },
      body,
    });
    if (request.line.includes('/project/project-id'))
      return typeof project === 'string' ? project : { ...project, headers };
    if (request.line.includes('/token'))
      return given('{"access_token":"api-token","expires_in":3600}', 'application/json');
    if (request.line.includes('/identity')) return given(identityToken());
    return given('googleapis.com');
  });
}

const asked = () => peer.seen.filter((each) => !isMetadata(each));
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    ({ code, message, retryAfterMs }: DoorError) => ({ code, message, retryAfterMs }),
  );

const NO_PROJECT =
  'project ID not available in the credentials, please specify your project ID in the GCP configuration';

describe('init', () => {
  const init = (settings: Partial<GcpSettings>) => gcp(settings).init();

  it('takes a path and the content of the file', async () => {
    const file = path.join(folder, 'key.json');
    await writeFile(file, JSON.stringify(KEY));
    answer(() => ({ status: 404 }));
    await init({ credentials_path: file });
    await init({ credentials_path: `  ${JSON.stringify(KEY)}` });
    expect(peer.lines).toEqual([]);
  });

  it.each([
    ['/nonexistent/key.json', 'unable to load credentials from file: ENOENT'],
    ['a\0b', 'unable to load credentials from file: ERR_INVALID_ARG_VALUE'],
    [
      '{"type": "service_account", secret-of-mine',
      'unable to load credentials from file: it is no JSON object with a `type`',
    ],
    ['{}', 'unable to load credentials from file: it is no JSON object with a `type`'],
    [JSON.stringify({ ...KEY, project_id: undefined }), NO_PROJECT],
  ])('refuses %.30j', async (credentials_path, message) => {
    await expect(init({ credentials_path })).rejects.toMatchObject({ name: 'TalonError', code: 'actionners', message });
  });

  it('takes the project from the settings, the environment or the credentials', async () => {
    answer(() => ({ status: 404 }));
    const without = JSON.stringify({ ...KEY, project_id: undefined });
    await init({ credentials_path: without, project_id: 'p' });
    await init(gcpSettings({ credentials_path: without, project_id: '' }, { GOOGLE_CLOUD_PROJECT: 'p' }));
    await init({});
  });

  it('finds no project, tells it, and tries again', async () => {
    answer(() => ({ status: 404 }), { status: 404 });
    const { init: again } = gcp();
    await expect(again()).rejects.toMatchObject({ message: NO_PROJECT });
    answer(() => ({ status: 404 }));
    await again();
  });

  it('finds no credentials', async () => {
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
    answer(() => ({ status: 404 }));
    await expect(init({})).rejects.toMatchObject({
      message: expect.stringMatching(/^unable to find default credentials: /),
    });
    await init({ storageEmulator: peer.url });
  });
});

describe('gcs.put', () => {
  const store = (name = 'forensics', prefix = 'a/'): StoreTarget => ({
    ...{ kind: 'store', category: 'gcp', name, prefix, region: '' },
  });
  const SESSION = '/session?upload_id=secret';
  const isStart = ({ line }: SeenRequest) => line.startsWith('POST /upload/');
  const good = ({ line, bytes }: SeenRequest): PeerReply =>
    line.startsWith('POST /upload/')
      ? { status: 200, headers: { location: peer.url + SESSION } }
      : { status: 200, body: JSON.stringify({ size: String(bytes) }) };
  const put = (to = store(), content = 'bytes', facts = {}, until = signal) =>
    gcp({ storageEmulator: peer.url }).adapters['gcs.put'](
      to,
      testArtifact(content, 'application/gzip'),
      'k',
      facts,
      until,
    );

  it('replaces no object where it is not to, and takes its own for an earlier try', async () => {
    const { sha256 } = testArtifact('bytes');
    const stored = (sum: string) =>
      answer(({ line }) =>
        line.startsWith('GET') ? { status: 200, body: JSON.stringify({ metadata: { sha256: sum } }) } : { status: 412 },
      );
    const to = { ...store(), keepsExisting: true };
    stored(sha256);
    await put(to);
    expect(asked().map(({ line }) => line)).toEqual([
      'POST /upload/storage/v1/b/forensics/o?uploadType=resumable&name=a%2Fk&ifGenerationMatch=0',
      'GET /storage/v1/b/forensics/o/a%2Fk?fields=metadata',
    ]);
    stored('0'.repeat(64));
    expect(await failureOf(put(to))).toMatchObject({
      code: 'refused',
      message: "the bucket 'forensics' has another object of the key 'a/k'",
    });
  });

  it('names the object and sends its bytes', async () => {
    answer(good);
    const content = 'x'.repeat(100_000);
    await put(store('forensics', 'a?b#c 😀/'), content, { rule: 'Shell ☠\n' });
    const [start, bytes] = asked();
    const { sha256 } = testArtifact(content);
    const name = 'a?b#c 😀/k';
    expect(start?.line).toBe(
      'POST /upload/storage/v1/b/forensics/o?uploadType=resumable&name=a%3Fb%23c+%F0%9F%98%80%2Fk',
    );
    expect(JSON.parse(start?.body ?? '')).toEqual({
      ...{ name, contentType: 'application/gzip' },
      metadata: { sha256, rule: 'Shell %E2%98%A0%0A' },
    });
    expect(start?.headers).toMatchObject({
      'x-upload-content-type': 'application/gzip',
      'x-upload-content-length': '100000',
    });
    expect(bytes).toMatchObject({ line: `PUT ${SESSION}`, bytes: 100_000, sha256 });
    expect(bytes?.headers).toMatchObject({ 'content-length': '100000', 'content-type': 'application/gzip' });
    expect(asked().some(({ headers }) => 'authorization' in headers)).toBe(false);
  });

  it('takes an empty artifact', async () => {
    answer(good);
    await put(store(), '');
    expect(asked()).toHaveLength(2);
  });

  const refusal = (status: number, message: string, reason: string, headers = {}): PeerReply => ({
    ...{ status, headers },
    body: JSON.stringify({ error: { code: status, message, errors: [{ reason }] } }),
  });
  it.each<[string, PeerReply, object]>([
    [
      'a missing bucket',
      refusal(404, 'The specified bucket does not exist.', 'notFound'),
      { code: 'refused', message: 'googleapi: Error 404: The specified bucket does not exist., notFound' },
    ],
    ['a denial', refusal(403, 'no', 'forbidden'), { code: 'refused' }],
    [
      'throttling',
      refusal(429, 'slow', 'rateLimitExceeded', { 'retry-after': '4' }),
      { code: 'busy', retryAfterMs: 4000 },
    ],
    ['a failure', { status: 503, body: '<html>' }, { code: 'busy', message: 'googleapi: Error 503: <html>' }],
    ['nobody', 'hang up', { code: 'unreachable' }],
    ['no session', { status: 200 }, { code: 'busy', message: 'Cloud Storage began no upload' }],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }, { code: 'refused' }],
  ])('fails of %s', async (_, reply, failure) => {
    answer(() => reply);
    expect(await failureOf(put())).toMatchObject(failure);
    expect(asked()).toHaveLength(1);
  });

  it.each<[string, PeerReply, object]>([
    ['is cut short', { status: 200, body: '{"size":"2"}' }, { code: 'busy', message: 'the bucket has 2 bytes of 5' }],
    [
      'comes as something else',
      { status: 200, body: '{"size":"5","md5Hash":"DDmCoUFMHhcWbtfxgHan+w=="}' },
      { code: 'busy', message: 'the bucket has other bytes than were sent' },
    ],
    ['is not confirmed', { status: 200, body: 'what?' }, { code: 'busy', message: 'the bucket has no bytes of 5' }],
    ['goes on elsewhere', { status: 308 }, { code: 'refused' }],
    ['breaks', 'hang up', { code: 'unreachable' }],
  ])('fails when the upload %s', async (_, reply, failure) => {
    answer((request) => (isStart(request) ? good(request) : reply));
    expect(await failureOf(put())).toMatchObject(failure);
  });

  it('is given up with the step', async () => {
    answer((request) => (isStart(request) ? good(request) : 'silence'));
    expect(await failureOf(put(store(), 'x', {}, AbortSignal.timeout(300)))).toMatchObject({ code: 'deadline' });
  });

  it.each([
    ['../x', 'a/'],
    ['a?b', 'a/'],
    ['a/b', 'a/'],
    ['b', '../x/'],
    ['b', 'a\0/'],
    ['b', `${'x'.repeat(1_000_000)}/`],
  ])('asks for nothing with the bucket %j and the prefix %.20j', async (bucket, prefix) => {
    answer(good);
    expect(await failureOf(put(store(bucket, prefix)))).toMatchObject({ code: 'refused' });
    expect(asked()).toEqual([]);
  });

  it('knows whether a bucket is there', async () => {
    const check = (reply: PeerReply) => {
      answer(() => reply);
      return failureOf(gcp({ storageEmulator: peer.url }).checkStore(store(), signal));
    };
    expect(await check({ status: 200 })).toBe('no failure');
    expect(asked()[0]?.line).toBe('GET /storage/v1/b/forensics?fields=name');
    expect(await check({ status: 403 })).toBe('no failure');
    expect(await check({ status: 404 })).toMatchObject({
      code: 'refused',
      message: "the bucket 'forensics' does not exist",
    });
    expect(await check({ status: 500 })).toMatchObject({ code: 'busy' });
  });
});

describe('functions.call', () => {
  const fn = (name = 'triage', location = 'us-central1'): FunctionTarget => ({
    ...{ kind: 'function', name, location, payload: '{"a":1}' },
  });
  const ADDRESS = '/run/triage';
  const isCall = ({ line }: SeenRequest) => line === `POST ${ADDRESS}`;
  const described = (uri: unknown = peer.url + ADDRESS): PeerReply => ({
    status: 200,
    body: JSON.stringify({ serviceConfig: { uri } }),
  });
  const call = (seconds = 0, called = fn(), until = signal) => gcp().adapters['functions.call'](called, seconds, until);
  const answers = (called: PeerReply, description = described()) =>
    answer((request) => (isCall(request) ? called : description));

  it('asks where the function is, and calls it with a token for it', async () => {
    answers({ status: 201, body: 'done' });
    const { adapters } = gcp();
    expect(await adapters['functions.call'](fn(), 5, signal)).toEqual({ status: 201, body: 'done' });
    const [description, called] = asked();
    expect(description?.line).toBe('GET /v2/projects/of-the-machine/locations/us-central1/functions/triage');
    expect(description?.headers.authorization).toBe('Bearer api-token');
    expect(called).toMatchObject({ line: `POST ${ADDRESS}`, body: '{"a":1}' });
    expect(called?.headers).toMatchObject({
      authorization: `Bearer ${identityToken()}`,
      'content-type': 'application/json',
    });
    expect(peer.lines.some((line) => line.includes(`audience=${peer.url}${ADDRESS}`))).toBe(true);
    await adapters['functions.call'](fn(), 0, signal);
    expect(asked().map(({ line }) => line.slice(0, 4))).toEqual(['GET ', 'POST', 'POST']);
  });

  it('tells of the trace of the alert', async () => {
    answers({ status: 200 });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await call(0, { ...fn(), traceId });
    expect(asked().at(-1)?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  });

  it('asks for no function that the configuration does not allow', async () => {
    answers({ status: 200 });
    const { adapters } = gcp({ allowed_functions: ['us-central1/tri*'] });
    expect(await adapters['functions.call'](fn(), 0, signal)).toMatchObject({ status: 200 });
    const before = asked().length;
    expect(await failureOf(adapters['functions.call'](fn('triage', 'us-east1'), 0, signal))).toMatchObject({
      code: 'refused',
      message: "the function 'us-east1/triage' is not among those that the configuration allows",
    });
    expect(asked()).toHaveLength(before);
  });

  it('gives every answer back, and follows no redirect', async () => {
    answers({ status: 302, headers: { location: `${peer.url}/elsewhere` }, body: 'over there' });
    expect(await call()).toEqual({ status: 302, body: 'over there' });
    expect(asked()).toHaveLength(2);
    answers({ status: 500, body: 'é'.repeat(300_000) });
    const { status, body } = await call();
    expect([status, body.length]).toEqual([500, 131_072]);
  });

  it('fails where the function is not known', async () => {
    const error = { code: 404, message: "Resource 'projects/p' was not found", status: 'NOT_FOUND' };
    answers({ status: 200 }, { status: 404, body: JSON.stringify({ error }) });
    expect(await failureOf(call())).toMatchObject({
      code: 'refused',
      message: "googleapi: Error 404: Resource 'projects/p' was not found",
    });
    answers({ status: 200 }, { status: 503 });
    expect(await failureOf(call())).toMatchObject({ code: 'busy' });
  });

  it.each([undefined, '', 7, 'no url'])('fails where its address is %j', async (uri) => {
    answers({ status: 200 }, { status: 200, body: JSON.stringify({ serviceConfig: { uri } }) });
    expect(await failureOf(call())).toMatchObject({ code: 'refused', message: 'function does not have a valid URL' });
  });

  it('waits as many seconds as it is told', async () => {
    answers('silence');
    expect(await failureOf(call(1))).toMatchObject({
      code: 'deadline',
      message: 'no answer from the function within 1 s',
    });
    expect(await failureOf(call(0, fn(), AbortSignal.timeout(300)))).toMatchObject({
      code: 'deadline',
      message: 'given up before it was done',
    });
    answers('hang up');
    expect(await failureOf(call(5))).toMatchObject({ code: 'unreachable' });
  });

  it.each(['..', '../x', 'a/b', 'a?b', 'a#b', '', 'a\0', '😀', 'x'.repeat(1_000_000)])(
    'asks for no function of the name %.20j',
    async (name) => {
      answers({ status: 200 });
      expect(await failureOf(call(0, fn(name)))).toMatchObject({ code: 'refused' });
      expect(await failureOf(call(0, fn('triage', name)))).toMatchObject({ code: 'refused' });
      expect(asked()).toEqual([]);
    },
  );

  it('says what is wrong with the credentials', async () => {
    const { adapters } = gcp({ credentials_path: '{}' });
    expect(await failureOf(adapters['functions.call'](fn(), 0, signal))).toMatchObject({ code: 'refused' });
  });
});

describe('an answer without end', () => {
  const fn: FunctionTarget = { kind: 'function', name: 'triage', location: 'us-central1', payload: '{}' };
  const call = (settings: Partial<GcpSettings> = {}) =>
    failureOf(gcp(settings).adapters['functions.call'](fn, 0, signal));

  it.each(['/project/project-id', '/token', '/identity'])('of the metadata server is not read: %s', async (part) => {
    answer(() => ({ status: 200, body: JSON.stringify({ serviceConfig: { uri: `${peer.url}/run` } }) }));
    const { replying } = peer;
    peer.reply((request) => (request.line.includes(part) ? 'no end' : replying(request)));
    expect(await call(part.includes('project') ? {} : { project_id: 'p' })).toMatchObject({
      message: expect.stringMatching(/over limit|project ID not available/),
    });
  });

  it('of a service that exchanges tokens is not read', async () => {
    const subject = path.join(folder, 'subject');
    await writeFile(subject, 'a-token');
    const credentials = {
      ...{ type: 'external_account', audience: 'a', project_id: 'p', token_url: `${peer.url}/v1/token` },
      ...{ subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', credential_source: { file: subject } },
    };
    peer.reply(() => 'no end');
    expect(await call({ credentials_path: JSON.stringify(credentials) })).toMatchObject({
      message: expect.stringMatching(/over limit/),
    });
    expect(peer.lines).toContain('POST /v1/token');
  });

  it('of Cloud Functions and of a function is cut', async () => {
    answer(() => 'no end');
    expect(await call()).toMatchObject({ code: 'refused', message: 'function does not have a valid URL' });
    const uri = { status: 200, body: JSON.stringify({ serviceConfig: { uri: `${peer.url}/run` } }) };
    answer(({ line }) => (line.startsWith('POST') ? 'no end' : uri));
    const { body } = await gcp().adapters['functions.call'](fn, 0, signal);
    expect(body.length).toBeLessThan(300_000);
  });
});
