import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerTarget } from '../../model/targets.ts';
import { Spool } from '../spool/spool.ts';
import { createKubeAdapters, type KubeAdapters } from './kube-adapters.ts';
import { failureOf, POD_PATH, pod, signal } from './recorded-kube.ts';
import { RecordingApi, statusOf } from './recording-api.ts';

const CONTAINER: ContainerTarget = { kind: 'container', name: 'main', pod: pod() };
const NOTHING_OF_IT = `GET ${POD_PATH}/log?container=main&tailLines=0`;
const LOG = `GET ${POD_PATH}/log?container=main&tailLines=20`;

const api = new RecordingApi();
const folder = mkdtempSync(path.join(tmpdir(), 'talon-log-'));
let spool: Spool;
let kube: KubeAdapters;

beforeAll(async () => {
  await api.start();
  spool = await Spool.open({ folder: path.join(folder, 'spool'), maxBytes: 2 ** 20 });
  kube = createKubeAdapters({ kubeconfig: api.kubeconfig() }, spool);
  await kube.init();
});
afterAll(async () => {
  await kube.close();
  await api.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => api.reset());

const logs = (over = signal) => kube.adapters['pods.logs'](CONTAINER, 20, over);
const keep = (over = signal) => kube.adapters['pods.keepLogs'](CONTAINER, 20, over);
const answerWith = (...chunks: readonly (string | Uint8Array)[]) =>
  api.answers.set(LOG, (response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  });

describe('pods.logs', () => {
  it('are the last lines of the container', async () => {
    answerWith('one\n', 'two 😀\n');
    expect(await logs()).toBe('one\ntwo 😀\n');
    expect(api.seen.map(({ line }) => line)).toEqual([LOG, NOTHING_OF_IT]);
  });

  it('are whole where there are as many lines as were asked for', async () => {
    const lines = 'a line\n'.repeat(20);
    answerWith(lines);
    expect(await logs()).toBe(lines);
    expect(api.seen).toHaveLength(1);
  });

  it('may be empty', async () => {
    answerWith();
    expect(await logs()).toBe('');
  });

  it('are the end of what is longer than 60,000 characters, without a half of one', async () => {
    answerWith('a'.repeat(500_000), `${'😀'.repeat(29_999)}x\n\n`);
    // 60,001 units, of which the first would be half of a character.
    expect(await logs()).toBe(`${'😀'.repeat(29_998)}x\n\n`);
  });

  it('replaces what is no text', async () => {
    answerWith(Buffer.of(0x61, 0xff, 0x62));
    expect(await logs()).toBe('a\ufffdb');
  });
});

describe('pods.keepLogs', () => {
  it('stores the bytes as they are', async () => {
    answerWith('one\n', Buffer.of(0xff, 0x00));
    const { handle, ...artifact } = await keep();
    expect(artifact).toEqual({
      kind: 'artifact',
      name: 'log',
      mediaType: 'text/plain; charset=utf-8',
      size: 6,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await text(spool.read(handle))).toBe('one\n\ufffd\0');
  });

  it('breaks off what does not fit', async () => {
    let closed = false;
    api.answers.set(LOG, (response) => {
      response.on('close', () => {
        closed = true;
      });
      response.write(Buffer.alloc(2 ** 21));
    });
    expect(await failureOf(keep())).toMatchObject({ code: 'busy', message: 'the spool is full' });
    await expect.poll(() => closed).toBe(true);
  });
});

describe.each([
  ['pods.logs', logs],
  ['pods.keepLogs', keep],
])('%s', (_, fetch) => {
  it.each<[number, string, string, object]>([
    [
      404,
      'NotFound',
      'the server could not find the requested resource ( pods/log web)',
      { code: 'busy', message: expect.stringContaining('the node of the pod does not know of it') },
    ],
    [404, 'NotFound', 'pods "web" not found', { code: 'not-found', message: expect.stringContaining("doesn't exist") }],
    [
      400,
      'BadRequest',
      'container "main" is waiting to start',
      { code: 'refused', message: 'container "main" is waiting to start' },
    ],
    [403, 'Forbidden', 'no', { code: 'refused', message: 'no' }],
    [429, 'TooManyRequests', 'no', { code: 'busy' }],
    [500, 'InternalError', 'no', { code: 'busy' }],
  ])('fails for %i', async (status, reason, message, expected) => {
    api.answers.set(LOG, statusOf(status, reason, message));
    expect(await failureOf(fetch())).toMatchObject(expected);
  });

  it.each([
    ['does not answer', statusOf(500, 'InternalError', 'dial tcp: connection refused')],
    ['has been started anew', statusOf(404, 'NotFound', 'the server could not find the requested resource')],
    ['is not to be reached at all', 'hang up' as const],
  ])('fails where there are fewer lines, and the node %s after that', async (_, answer) => {
    answerWith('the first half of a li');
    api.answers.set(NOTHING_OF_IT, answer);
    const message = expect.stringContaining('nobody knows whether all of the log came');
    expect(await failureOf(fetch())).toMatchObject({ code: 'busy', message });
  });

  it('takes what came before the pod was gone', async () => {
    answerWith('its last line\n');
    api.answers.set(NOTHING_OF_IT, statusOf(404, 'NotFound', 'pods "web" not found'));
    await expect(fetch()).resolves.toBeDefined();
  });

  it('fails where the connection breaks, and where the step is over', async () => {
    api.answers.set(LOG, (response) => {
      response.write('one\n');
      setImmediate(() => response.destroy());
    });
    expect(await failureOf(fetch())).toMatchObject({ code: 'unreachable' });
    const over = new AbortController();
    api.answers.set(LOG, (response) => {
      response.write('one\n');
      over.abort(new Error('the step is over'));
    });
    expect(await failureOf(fetch(over.signal))).toMatchObject({ code: 'unreachable' });
  });
});
