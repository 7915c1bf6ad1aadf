import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DoorError } from '../../model/door-error.ts';
import type { StoreTarget } from '../../model/targets.ts';
import { RecordingPeer } from '../recording-peer.ts';
import { contentSpool, testArtifact } from '../test-artifact.ts';
import { createMinioAdapters } from './minio-adapters.ts';
import type { MinioSettings } from './minio-settings.ts';

const peer = new RecordingPeer();
beforeAll(() => peer.start());
afterAll(() => peer.stop());
beforeEach(() => vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true'));
afterEach(() => {
  vi.unstubAllEnvs();
});

const { signal } = new AbortController();
const store = (name = 'forensics'): StoreTarget => ({
  ...{ kind: 'store', category: 'minio', name, prefix: 'a/', region: '' },
});
const minio = (settings: Partial<MinioSettings> = {}) =>
  createMinioAdapters(
    { endpoint: peer.host, access_key: 'minio-user', secret_key: 'minio-secret', use_ssl: false, ...settings },
    contentSpool,
  );
const location = (region: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${region}</LocationConstraint>`;
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    ({ code, message }: DoorError) => ({ code, message }),
  );

describe('init', () => {
  it.each([
    ['', 'Endpoint:  does not follow ip address or domain name standards. (minio.endpoint)'],
    ['a b', 'Endpoint: a b does not follow ip address or domain name standards. (minio.endpoint)'],
    ['minio:99999', 'Endpoint: minio:99999 does not follow ip address or domain name standards. (minio.endpoint)'],
    ['[::', 'Endpoint: [:: does not follow ip address or domain name standards. (minio.endpoint)'],
    ['host:port', 'Endpoint: host:port does not follow ip address or domain name standards. (minio.endpoint)'],
    ['http://minio:9000', 'Endpoint url cannot have fully qualified paths. (minio.endpoint)'],
    ['minio:9000/path', 'Endpoint url cannot have fully qualified paths. (minio.endpoint)'],
    ['minio:9000?x', 'Endpoint url cannot have fully qualified paths. (minio.endpoint)'],
    ['user@minio', 'Endpoint url cannot have fully qualified paths. (minio.endpoint)'],
  ])('refuses the endpoint %j', async (endpoint, message) => {
    const { init, adapters } = minio({ endpoint });
    await expect(init()).rejects.toMatchObject({ name: 'TalonError', code: 'outputs', message });
    const put = adapters['minio.put'](store(), testArtifact('x'), 'k', {}, signal);
    expect(await failureOf(put)).toEqual({ code: 'refused', message });
  });

  it.each(['minio:9000', 'minio.svc', 'minio:9000/', '[::1]:9000'])(
    'takes the endpoint %j, without a call',
    async (endpoint) => {
      await minio({ endpoint }).init();
    },
  );
});

describe('minio.put', () => {
  const put = (settings: Partial<MinioSettings> = {}, to = store()) =>
    minio(settings).adapters['minio.put'](to, testArtifact('bytes', 'text/plain'), 'k', { rule: 'r' }, signal);

  it('sends the artifact to the endpoint, whatever the environment says of AWS', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    vi.stubEnv('AWS_REGION', 'eu-west-9');
    peer.reply(() => ({ status: 200 }));
    await put({ endpoint: `${peer.host}/` });
    const { sha256 } = testArtifact('bytes');
    expect(peer.lines).toEqual(['PUT /forensics/a/k?x-id=PutObject']);
    expect(peer.seen[0]).toMatchObject({ body: 'bytes', sha256 });
    const headers = peer.seen[0]?.headers ?? {};
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'x-amz-content-sha256': sha256,
      'x-amz-meta-sha256': sha256,
      'x-amz-meta-rule': 'r',
    });
    expect(headers.authorization).toMatch(/Credential=minio-user\/\d+\/us-east-1\/s3\/aws4_request/);
    expect(Object.keys(headers).filter((name) => /checksum|trailer|x-amz-sdk-checksum/.test(name))).toEqual([]);
  });

  it('speaks TLS when it is told to', async () => {
    peer.reply(() => ({ status: 200 }));
    expect(await failureOf(put({ use_ssl: true }))).toMatchObject({ code: 'unreachable' });
    expect(peer.lines).toEqual([]);
  });

  it.each([200, 403])('breaks off an answer without an end, of status %i', async (status) => {
    let sent = 0;
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/xml' });
      Readable.from(endless()).pipe(response);
    });
    async function* endless() {
      const part = Buffer.alloc(2 ** 20, 'x');
      while (sent < 2 ** 30) {
        sent += part.length;
        yield part;
      }
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await failureOf(put({ endpoint }))).toMatchObject({ code: 'refused' });
    expect(sent).toBeLessThan(64 * 2 ** 20);
    server.closeAllConnections();
    server.close();
  });

  it('asks for the region where the server has another one', async () => {
    peer.reply(({ line, headers }) => {
      if (line.startsWith('GET /forensics/?location')) return { status: 200, body: location('eu-somewhere') };
      if (headers.authorization?.includes('/eu-somewhere/')) return { status: 200 };
      return { status: 400, body: '<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message></Error>' };
    });
    const { adapters, checkStore } = minio();
    await checkStore(store(), signal);
    expect(peer.lines).toHaveLength(3);
    await adapters['minio.put'](store(), testArtifact('bytes'), 'k', {}, signal);
    expect(peer.lines).toHaveLength(4);
    await put();
    expect(peer.lines).toHaveLength(7);
  });

  it('fails of a bad request as before where that is not the region', async () => {
    peer.reply(({ line }) =>
      line.startsWith('GET')
        ? { status: 200, body: location('us-east-1') }
        : { status: 400, body: '<Error><Code>InvalidArgument</Code><Message>odd</Message></Error>' },
    );
    expect(await failureOf(put())).toEqual({ code: 'refused', message: 'InvalidArgument: odd' });
    expect(peer.lines).toHaveLength(2);
  });

  it('fails in the words of the server', async () => {
    peer.reply(() => ({
      status: 403,
      body: '<Error><Code>InvalidAccessKeyId</Code><Message>The Access Key Id you provided does not exist in our records.</Message></Error>',
    }));
    expect(await failureOf(put())).toEqual({
      code: 'refused',
      message: 'InvalidAccessKeyId: The Access Key Id you provided does not exist in our records.',
    });
    expect(await failureOf(put({ endpoint: '127.0.0.1:1' }))).toMatchObject({ code: 'unreachable' });
    expect(await failureOf(put({}, store('../x')))).toMatchObject({ code: 'refused' });
  });
});

it('knows whether a bucket is there', async () => {
  const check = (status: number) => {
    peer.reply(() => ({ status }));
    return failureOf(minio().checkStore(store(), signal));
  };
  expect(await check(200)).toBe('no failure');
  expect(await check(403)).toBe('no failure');
  expect(await check(404)).toEqual({ code: 'refused', message: "the bucket 'forensics' does not exist" });
  expect(await check(500)).toMatchObject({ code: 'busy' });
});
