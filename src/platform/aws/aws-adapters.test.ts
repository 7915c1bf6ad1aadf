import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DoorError } from '../../model/door-error.ts';
import type { FunctionTarget, StoreTarget } from '../../model/targets.ts';
import { type PeerReply, RecordingPeer, type SeenRequest } from '../recording-peer.ts';
import { contentSpool, testArtifact } from '../test-artifact.ts';
import { createAwsAdapters } from './aws-adapters.ts';
import { type AwsSettings, awsSettings } from './aws-settings.ts';

const peer = new RecordingPeer();
const { signal } = new AbortController();
setMaxListeners(0, signal);
const CALLER = 'arn:aws:sts::123456789012:assumed-role/talon/session';

beforeAll(() => peer.start());
afterAll(() => peer.stop());
beforeEach(() => {
  for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION'])
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_ENDPOINT_URL', peer.url);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const each of opened.splice(0)) await each.close();
});

const STATIC = {
  access_key: 'AKIATEST',
  secret_key: 'secret-of-the-test',
  region: 'eu-west-1',
  role_arn: '',
  external_id: '',
};

function aws(settings: Partial<AwsSettings> = {}) {
  const made = createAwsAdapters({ ...STATIC, ...settings }, contentSpool);
  opened.push(made);
  return made;
}

const identity = (arn = CALLER): PeerReply => ({
  status: 200,
  headers: { 'content-type': 'text/xml' },
  body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>U</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
});

const isSts = ({ body }: SeenRequest) => body.includes('Action=');

/** Answers STS well, and everything else with that. */
function answer(reply: PeerReply | ((request: SeenRequest) => PeerReply)) {
  peer.reply((request) => (isSts(request) ? identity() : typeof reply === 'function' ? reply(request) : reply));
}

const asked = () => peer.seen.filter((each) => !isSts(each));
const store = (name: string, prefix = 'captures/', region = ''): StoreTarget => ({
  ...{ kind: 'store', category: 'aws', name, prefix, region },
});
const fn = (name = 'triage', payload = '{"a":1}'): FunctionTarget => ({
  kind: 'function',
  name,
  location: '',
  payload,
});
const HOW = { qualifier: '$LATEST', type: 'RequestResponse' } as const;
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: DoorError) => ({ code: error.code, message: error.message, retryAfterMs: error.retryAfterMs }),
  );

describe('init', () => {
  it('asks STS who it is, with the keys and the region of the settings, once for all who need it', async () => {
    answer({ status: 404 });
    const { init } = aws();
    await Promise.all([init(), init()]);
    expect(peer.seen).toHaveLength(1);
    expect(peer.seen[0]?.headers.authorization).toMatch(/Credential=AKIATEST\/\d+\/eu-west-1\/sts\//);
  });

  it('takes the default credentials where a key is missing, with the region alone', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    answer({ status: 404 });
    await aws({ secret_key: '' }).init();
    expect(peer.seen[0]?.headers.authorization).toMatch(/Credential=AKIAENV\/\d+\/eu-west-1\//);
  });

  it('takes the old names of the variables', async () => {
    answer({ status: 404 });
    const environment = { AWS_ACCESS_KEY: 'AKIAOLD', AWS_SECRET_KEY: 'x', AWS_DEFAULT_REGION: 'eu-north-1' };
    const none = { ...STATIC, access_key: '', secret_key: '', region: '' };
    await aws(awsSettings(none, environment)).init();
    expect(peer.seen[0]?.headers.authorization).toMatch(/Credential=AKIAOLD\/\d+\/eu-north-1\//);
    expect(
      awsSettings(none, { ...environment, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }),
    ).not.toHaveProperty('legacyCredentials');
  });

  it('says what is wrong, without a secret, and tries again', async () => {
    peer.reply(() => ({
      status: 403,
      body: '<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match.\n\nThe Canonical String was secret-token</Message></Error></ErrorResponse>',
    }));
    const { init } = aws();
    await expect(init()).rejects.toMatchObject({
      name: 'TalonError',
      code: 'actionners',
      message: 'SignatureDoesNotMatch: The signature does not match.',
    });
    answer({ status: 404 });
    await init();
  });

  it('needs a region and credentials', async () => {
    answer({ status: 404 });
    await expect(aws({ region: '' }).init()).rejects.toMatchObject({ code: 'actionners' });
    await expect(aws({ secret_key: '' }).init()).rejects.toMatchObject({
      message: expect.stringMatching(/^CredentialsProviderError: /),
    });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENV');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    await expect(aws({ region: '' }).init()).rejects.toMatchObject({ message: expect.stringMatching(/region/i) });
  });

  it('cannot be reached', async () => {
    peer.reply(() => 'hang up');
    await expect(aws().init()).rejects.toMatchObject({
      code: 'actionners',
      message: expect.stringMatching(/hang up|ECONN/),
    });
  });
});

describe('a role', () => {
  const ROLE = 'arn:aws:iam::123456789012:role/path/other';
  const session = (left: number) => ({
    status: 200,
    body: `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${new Date(Date.now() + left).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
  });
  const assumptions = () => peer.seen.filter(({ body }) => body.includes('Action=AssumeRole'));
  function withSession(left: number) {
    peer.reply((request) => {
      if (request.body.includes('Action=AssumeRole')) return session(left);
      return isSts(request) ? identity() : { status: 200 };
    });
  }

  it('is assumed once for all clients, with the external id', async () => {
    withSession(3_600_000);
    const { adapters } = aws({ role_arn: ROLE, external_id: 'ext&1' });
    await adapters['s3.put'](store('one'), testArtifact('x'), 'k', {}, signal);
    await adapters['s3.put'](store('one', '', 'us-east-2'), testArtifact('x'), 'k', {}, signal);
    expect(assumptions()).toHaveLength(1);
    const form = new URLSearchParams(assumptions()[0]?.body);
    expect(form.get('RoleArn')).toBe(ROLE);
    expect(form.get('ExternalId')).toBe('ext&1');
    const [first, second] = asked();
    expect(first?.headers.authorization).toMatch(/Credential=ASIAROLE\/\d+\/eu-west-1\/s3/);
    expect(first?.headers['x-amz-security-token']).toBe('t');
    expect(second?.headers.authorization).toMatch(/Credential=ASIAROLE\/\d+\/us-east-2\/s3/);
  });

  it('is assumed again before its credentials end', async () => {
    withSession(60_000);
    const { adapters, init } = aws({ role_arn: ROLE });
    await init();
    const before = assumptions().length;
    await adapters['s3.put'](store('one'), testArtifact('x'), 'k', {}, signal);
    expect(assumptions().length).toBeGreaterThan(before);
  });

  it('is not assumed by whoever has it', async () => {
    answer({ status: 404 });
    await aws({ role_arn: 'arn:aws:iam::123456789012:role/deep/path/talon' }).init();
    expect(assumptions()).toHaveLength(0);
  });

  it('that may not be assumed is an error', async () => {
    peer.reply(({ body }) =>
      body.includes('Action=AssumeRole')
        ? {
            status: 403,
            body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>',
          }
        : identity(),
    );
    await expect(aws({ role_arn: ROLE }).init()).rejects.toMatchObject({ message: 'AccessDenied: not you' });
  });
});

describe('s3.put', () => {
  const put = (
    to = store('captures-of-talon'),
    artifact = testArtifact('bytes'),
    key = 'k',
    facts = {},
    until = signal,
  ) => aws().adapters['s3.put'](to, artifact, key, facts, until);

  it('sends the artifact in one request, with its sum and facts', async () => {
    answer({ status: 200 });
    const artifact = testArtifact('x'.repeat(100_000), 'application/gzip');
    await put(store('captures'), artifact, '2024_log', { rule: 'Shell ☠\r\nX-Evil: 1', trace_id: 'abc' });
    const [seen] = asked();
    expect(seen?.line).toBe('PUT /captures/captures/2024_log?x-id=PutObject');
    expect(seen).toMatchObject({ bytes: 100_000, sha256: artifact.sha256 });
    expect(seen?.headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-length': '100000',
      'x-amz-content-sha256': artifact.sha256,
      'x-amz-checksum-sha256': Buffer.from(artifact.sha256, 'hex').toString('base64'),
      'x-amz-meta-sha256': artifact.sha256,
      'x-amz-meta-rule': 'Shell %E2%98%A0%0D%0AX-Evil: 1',
      'x-amz-meta-trace-id': 'abc',
    });
  });

  const error = (status: number, code: string, message: string, headers = {}): PeerReply => ({
    ...{ status, headers },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  });

  it('asks for what the rule wants: no other object replaced, encryption, a lock', async () => {
    answer({ status: 200 });
    const wanted = {
      keepsExisting: true,
      encryption: { kind: 'aws:kms', key: 'alias/evidence' },
      lock: { mode: 'COMPLIANCE', days: 30 },
    } as const;
    await put({ ...store('captures'), ...wanted });
    const headers = asked()[0]?.headers ?? {};
    expect(headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/evidence',
      'x-amz-object-lock-mode': 'COMPLIANCE',
    });
    const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
    expect(Math.abs(until - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
  });

  it('takes its own object for an earlier try, and leaves that of others', async () => {
    const artifact = testArtifact('bytes');
    const stored = (sum: string) =>
      answer(({ line }) =>
        line.startsWith('HEAD')
          ? { status: 200, headers: { 'x-amz-meta-sha256': sum } }
          : error(412, 'PreconditionFailed', 'no'),
      );
    const to = { ...store('captures'), keepsExisting: true };
    stored(artifact.sha256);
    await put(to, artifact);
    stored('0'.repeat(64));
    expect(await failureOf(put(to, artifact))).toMatchObject({
      code: 'refused',
      message: "the bucket 'captures' has another object of the key 'captures/k'",
    });
  });

  it('takes an empty artifact and one that begins no folder', async () => {
    answer({ status: 200 });
    await put(store('captures', ''), testArtifact(''), 'k');
    expect(asked()[0]).toMatchObject({ line: 'PUT /captures/k?x-id=PutObject', bytes: 0 });
  });

  it.each<[string, PeerReply, object]>([
    [
      'a denial',
      error(403, 'AccessDenied', 'Access Denied'),
      { code: 'refused', message: 'AccessDenied: Access Denied' },
    ],
    [
      'a missing bucket',
      error(404, 'NoSuchBucket', 'The specified bucket does not exist'),
      { code: 'refused', message: 'NoSuchBucket: The specified bucket does not exist' },
    ],
    ['a conflict', error(409, 'OperationAborted', 'again'), { code: 'refused' }],
    ['throttling', error(503, 'SlowDown', 'slow', { 'retry-after': '3' }), { code: 'busy', retryAfterMs: 3000 }],
    ['too many', error(429, 'TooMany', 'slow'), { code: 'busy', message: 'TooMany: slow' }],
    ['a failure', error(500, 'InternalError', 'oops'), { code: 'busy', message: 'InternalError: oops' }],
    ['a page of a proxy', { status: 502, body: '<html>bad' }, { code: 'busy' }],
    ['nobody', 'hang up', { code: 'unreachable' }],
  ])('fails of %s without a second try', async (_, reply, failure) => {
    answer(reply);
    expect(await failureOf(put())).toMatchObject(failure);
    expect(asked()).toHaveLength(1);
  });

  it('is given up with the step', async () => {
    answer('silence');
    const until = AbortSignal.timeout(300);
    expect(await failureOf(put(store('bucket'), testArtifact('x'), 'k', {}, until))).toMatchObject({
      code: 'deadline',
    });
  });

  it.each([
    '../other',
    'a?b',
    'a#b',
    'a/b',
    'a\0b',
    '😀',
    '',
    '..',
    'a..b',
    'x'.repeat(1_000_000),
    'arn:aws:s3:::../x',
  ])('asks for no bucket of the name %.20j', async (bucket) => {
    answer({ status: 200 });
    expect(await failureOf(put(store(bucket)))).toMatchObject({ code: 'refused' });
    expect(asked()).toHaveLength(0);
  });

  it.each([
    ['../../other/', 'k'],
    ['a/./', 'k'],
    ['a//', 'k'],
    ['a\0/', 'k'],
    ['a\r\n/', 'k'],
    [`${'x'.repeat(1_000_000)}/`, 'k'],
    ['', '..'],
    ['', ''],
  ])('stores nothing under %.20j and %j', async (prefix, key) => {
    answer({ status: 200 });
    expect(await failureOf(put(store('bucket', prefix), testArtifact('x'), key))).toMatchObject({ code: 'refused' });
    expect(asked()).toHaveLength(0);
  });

  it('puts what is odd in a prefix into the path alone', async () => {
    answer({ status: 200 });
    await put(store('bucket', 'a?b#c%2f 😀/'), testArtifact('x'), 'k');
    expect(asked()[0]?.line).toBe('PUT /bucket/a%3Fb%23c%252f%20%F0%9F%98%80/k?x-id=PutObject');
  });
});

describe('checkStore', () => {
  const check = (status: number, bucket = 'bucket') => {
    answer({ status });
    return failureOf(aws().checkStore(store(bucket), signal));
  };
  it('lets through what is there and what may not be asked', async () => {
    expect(await check(200)).toBe('no failure');
    expect(await check(403)).toBe('no failure');
    expect(asked()[0]?.line).toBe('HEAD /bucket/');
  });
  it('throws for what is not there', async () => {
    expect(await check(404)).toMatchObject({ code: 'refused', message: "the bucket 'bucket' does not exist" });
    expect(await check(301)).toMatchObject({ code: 'refused', message: "the bucket 'bucket' is in another region" });
    expect(await check(503)).toMatchObject({ code: 'busy' });
    expect(await check(200, '../x')).toMatchObject({ code: 'refused', message: "'../x' is not the name of a bucket" });
  });
});

describe('lambda.invoke', () => {
  const isCheck = ({ line }: SeenRequest) => line.startsWith('GET /2015-03-31/functions/');
  function answers(invoked: PeerReply, check: PeerReply = { status: 200, body: '{}' }) {
    answer((request) => (isCheck(request) ? check : invoked));
  }
  const json = (status: number, type: string, message: string, headers = {}): PeerReply => ({
    ...{ status, headers: { 'x-amzn-errortype': type, ...headers } },
    body: JSON.stringify({ message, Message: message }),
  });

  it('asks whether the function is there, and calls it with the alert', async () => {
    answers({ status: 200, body: '{"ok":true}' });
    const { adapters } = aws();
    const how = { qualifier: 'prod', type: 'RequestResponse' } as const;
    expect(await adapters['lambda.invoke'](fn(), how, signal)).toEqual({ status: 200, body: '{"ok":true}' });
    const [check, invoked] = asked();
    expect(check?.line).toBe('GET /2015-03-31/functions/triage');
    expect(invoked?.line).toBe('POST /2015-03-31/functions/triage/invocations?Qualifier=prod');
    expect(invoked).toMatchObject({ body: '{"a":1}', headers: { 'x-amz-invocation-type': 'RequestResponse' } });
    await adapters['lambda.invoke'](fn(), HOW, signal);
    expect(asked().filter(isCheck)).toHaveLength(1);
  });

  it('tells of the trace of the alert', async () => {
    answers({ status: 200 });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await aws().adapters['lambda.invoke']({ ...fn(), traceId }, HOW, signal);
    const context = String(asked().at(-1)?.headers['x-amz-client-context']);
    expect(JSON.parse(Buffer.from(context, 'base64').toString())).toEqual({
      custom: { traceparent: expect.stringMatching(`^00-${traceId}-[0-9a-f]{16}-01$`) },
    });
  });

  it('asks for no function that the configuration does not allow', async () => {
    answers({ status: 200 });
    const { adapters } = aws({ allowed_functions: ['tri*'] });
    expect(await adapters['lambda.invoke'](fn(), HOW, signal)).toMatchObject({ status: 200 });
    const before = asked().length;
    expect(await failureOf(adapters['lambda.invoke'](fn('other'), HOW, signal))).toMatchObject({
      code: 'refused',
      message: "the function 'other' is not among those that the configuration allows",
    });
    expect(asked()).toHaveLength(before);
  });

  it.each([
    [202, 'Event'],
    [204, 'DryRun'],
  ] as const)('takes %i for %s', async (status, type) => {
    answers({ status });
    const how = { qualifier: '$LATEST', type };
    expect(await aws().adapters['lambda.invoke'](fn(), how, signal)).toEqual({ status, body: '' });
  });

  it('tells when the function failed, and cuts what is too long', async () => {
    answers({ status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: 'é'.repeat(300_000) });
    const { error, body } = await aws().adapters['lambda.invoke'](fn(), HOW, signal);
    expect(error).toBe('Unhandled');
    expect(body).toBe('é'.repeat(131_072));
  });

  it('goes on where it may not ask whether the function is there', async () => {
    answers({ status: 200 }, json(403, 'AccessDeniedException', 'no'));
    expect(await aws().adapters['lambda.invoke'](fn(), HOW, signal)).toMatchObject({ status: 200 });
  });

  it.each<[string, PeerReply, PeerReply | undefined, object]>([
    [
      'a function that is not there',
      { status: 200 },
      json(404, 'ResourceNotFoundException', 'Function not found: arn'),
      { code: 'refused', message: 'ResourceNotFoundException: Function not found: arn' },
    ],
    ['an expired token', { status: 200 }, json(403, 'ExpiredTokenException', 'old'), { code: 'refused' }],
    [
      'a denial',
      json(403, 'AccessDeniedException', 'not authorized'),
      undefined,
      { code: 'refused', message: 'AccessDeniedException: not authorized' },
    ],
    [
      'throttling',
      json(429, 'TooManyRequestsException', 'Rate Exceeded.', { 'retry-after': '2' }),
      undefined,
      { code: 'busy', message: 'TooManyRequestsException: Rate Exceeded.', retryAfterMs: 2000 },
    ],
    [
      'a failure, after which it may have run',
      json(500, 'ServiceException', 'oops'),
      undefined,
      { code: 'unreachable' },
    ],
    ['no room', json(502, 'EC2ThrottledException', 'later'), undefined, { code: 'busy' }],
    ['nobody', 'hang up', undefined, { code: 'unreachable' }],
  ])('fails of %s without a second call', async (_, invoked, check, failure) => {
    answers(invoked, check);
    expect(await failureOf(aws().adapters['lambda.invoke'](fn(), HOW, signal))).toMatchObject(failure);
    expect(asked().filter((each) => !isCheck(each)).length).toBeLessThanOrEqual(1);
  });

  it.each(['..', 'a/b', 'a?b', '../x', '', 'a b', 'é', 'a\0', 'x'.repeat(1_000_000)])(
    'asks for no function of the name %.20j',
    async (name) => {
      answers({ status: 200 });
      expect(await failureOf(aws().adapters['lambda.invoke'](fn(name), HOW, signal))).toMatchObject({
        code: 'refused',
      });
      expect(asked()).toHaveLength(0);
    },
  );

  it('is given up with the step', async () => {
    answers('silence');
    const invoked = aws().adapters['lambda.invoke'](fn(), HOW, AbortSignal.timeout(300));
    expect(await failureOf(invoked)).toMatchObject({ code: 'deadline' });
  });
});

describe('an answer without end', () => {
  const tooLong = { message: 'an answer of status 200 that cannot be read' };

  it('of a function, of a bucket and of STS is not read', async () => {
    answer('no end');
    expect(await failureOf(aws().adapters['lambda.invoke'](fn(), HOW, signal))).toMatchObject(tooLong);
    peer.reply(() => 'no end');
    await expect(aws().init()).rejects.toMatchObject(tooLong);
  });

  it('of STS for the role of a service account is not read', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'talon-aws-'));
    await writeFile(path.join(folder, 'token'), 'a-token');
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', path.join(folder, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/talon');
    peer.reply(() => 'no end');
    await expect(aws({ access_key: '' }).init()).rejects.toMatchObject(tooLong);
    expect(peer.seen[0]?.body).toContain('Action=AssumeRoleWithWebIdentity');
    await rm(folder, { recursive: true });
  });
});
