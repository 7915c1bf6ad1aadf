import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { forward } from './cluster/forward.ts';
import { freePort } from './cluster/free-port.ts';
import type { Bucket } from './peers/bucket.ts';
import { startMinio } from './peers/minio.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

describe('a store that is not as it should be', () => {
  const minio = usePeer(startMinio);
  const source = usePeer(startRecorder);
  let bucket: Bucket;
  let scratch: string;
  let home: TalonHome | undefined;
  let talon: Talon | undefined;

  beforeAll(async () => {
    scratch = makeScratch();
    bucket = await minio().bucket('talon-evidence');
    source().reply(() => ({ status: 200, body: 'evidence' }));
  });
  afterEach(async () => {
    await talon?.stop();
    home?.remove();
    talon = undefined;
  });
  afterAll(() => removeScratch(scratch));

  async function start(target: string, parameters: object, minioSettings: object = {}): Promise<Talon> {
    const action = {
      action: 'Keep the answer',
      actionner: 'webhook:call',
      parameters: { url: source().url },
      output: { target, parameters },
    };
    const rules = JSON.stringify([{ rule: 'Keep', match: { rules: ['keep'] }, actions: [action] }]);
    const keys = { access_key: minio().keys.accessKey, secret_key: minio().keys.secretKey };
    const settings = { minio: { endpoint: minio().endpoint, ...keys, ...minioSettings } };
    home = await TalonHome.make({ rules, settings });
    talon = await home.start();
    return talon;
  }

  const alert = () => alertBody({ rule: 'keep', fields: {} });

  it('keeps the artifact until the store is back, and stores it once', async () => {
    const port = await freePort();
    const running = await start('minio:s3', { bucket: bucket.name }, { endpoint: `127.0.0.1:${port}` });
    const traceId = await running.post(alert());
    await running.line({ trace_id: traceId, status: 'retrying' }, { timeout: 30_000 });
    const { host, port: own } = hostAndPort(minio().endpoint);
    const way: Server = await forward({ host: '127.0.0.1', port }, { host, port: own });
    try {
      const output = await running.line(
        { message: 'output', trace_id: traceId, status: 'success' },
        { timeout: 60_000 },
      );
      expect(await bucket.keys()).toEqual([output.key]);
      expect((await bucket.get(output.key!)).content.toString()).toBe('evidence');
      // Of several tries of the whole action there would be several calls.
      expect(source().requests).toHaveLength(1);
    } finally {
      way.close();
    }
  }, 100_000);

  it('stores it after the server was killed, without acting a second time', async () => {
    const port = await freePort();
    const running = await start('minio:s3', { bucket: bucket.name, prefix: 'kept' }, { endpoint: `127.0.0.1:${port}` });
    const before = source().requests.length;
    const traceId = await running.post(alert());
    await running.line({ trace_id: traceId, status: 'retrying' }, { timeout: 30_000 });
    await running.stop('KILL');
    const { host, port: own } = hostAndPort(minio().endpoint);
    const way = await forward({ host: '127.0.0.1', port }, { host, port: own });
    try {
      talon = await home!.start();
      const output = await talon.line({ message: 'output', trace_id: traceId, status: 'success' }, { timeout: 60_000 });
      expect((await bucket.get(`kept/${output.key}`)).content.toString()).toBe('evidence');
      expect(source().requests).toHaveLength(before + 1);
    } finally {
      way.close();
    }
  }, 100_000);

  it('says that the keys are wrong, at once', async () => {
    const running = await start('minio:s3', { bucket: bucket.name }, { secret_key: 'minio-secret-wrong' });
    const traceId = await running.post(alert());
    const line = await running.line({ trace_id: traceId, status: 'failure' });
    expect(line.error).toMatch(/signature/i);
    expect(JSON.stringify(running.lines)).not.toContain('minio-secret-wrong');
  });

  it('loses none of several artifacts that have the same name in the same second', async () => {
    const destination = join(scratch, 'answers');
    mkdirSync(destination);
    const contents = ['first', 'second', 'third'];
    const left = [...contents];
    source().reply(() => ({ status: 200, body: left.shift() ?? '' }));
    const running = await start('local:file', { destination });
    const traces = await Promise.all(contents.map(() => running.post(alert())));
    for (const trace_id of traces) {
      const { status, output } = await running.line({ message: 'output', trace_id, status: /success|failure/ });
      expect({ status, output }).toEqual({ status: 'success', output: expect.stringContaining(destination) });
    }
    const files = readdirSync(destination).map((name) => readFileSync(join(destination, name), 'utf8'));
    expect(files.sort()).toEqual(contents);
  });
});

function hostAndPort(endpoint: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = endpoint.split(':');
  return { host, port: Number(port) };
}
