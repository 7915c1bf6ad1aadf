import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { PodTarget } from '../../model/targets.ts';
import { failureOf, signal, useRecordedKube } from './recorded-kube.ts';
import { statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

/** A namespace for each test, so that the watch of one does not last into the next. */
let count = 0;
function namespace() {
  const name = `ns-${count++}`;
  const path = `/api/v1/namespaces/${name}/pods`;
  const streams: ServerResponse[] = [];
  const watchLine = (version?: string) =>
    `GET ${path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=300${version ? `&resourceVersion=${version}` : ''}`;
  return {
    watchLine,
    pod: (pod: string, uid = `uid-of-${pod}`): PodTarget => ({ kind: 'pod', namespace: name, name: pod, uid }),
    exists: (pod: string, uid = `uid-of-${pod}`, resourceVersion = '7') =>
      recorded.api.answers.set(`GET ${path}/${pod}`, {
        status: 200,
        body: { metadata: { name: pod, uid, resourceVersion } },
      }),
    vanishes: (pod: string) => recorded.api.answers.delete(`GET ${path}/${pod}`),
    /** Lets watches begin, which say nothing until they are told. */
    watches: (version?: string) =>
      recorded.api.answers.set(watchLine(version), (stream) => {
        stream.writeHead(200, { 'content-type': 'application/json' });
        stream.flushHeaders();
        streams.push(stream);
      }),
    say: (type: string, pod: string, uid = `uid-of-${pod}`, resourceVersion = '8') =>
      streams.at(-1)?.write(`${JSON.stringify({ type, object: { metadata: { name: pod, uid, resourceVersion } } })}\n`),
    sayError: (code: number) =>
      streams.at(-1)?.write(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message: 'old' } })}\n`),
    opened: (times = 1) => expect.poll(() => streams.length).toBe(times),
    end: () => streams.at(-1)?.end(),
    break: () => streams.at(-1)?.destroy(),
    closed: () => expect.poll(() => streams.every((stream) => stream.closed)).toBe(true),
    count: () => streams.length,
  };
}

const gone = (pod: PodTarget, within = 30_000, given = signal) =>
  recorded.kube.adapters['pods.gone'](pod, within, given);
const lines = () => recorded.api.seen.map(({ line }) => line);

describe('pods.gone', () => {
  it('needs one look for a pod that is gone, or has a successor', async () => {
    const shop = namespace();
    expect(await gone(shop.pod('web'))).toBe(true);
    shop.exists('web', 'uid-2');
    expect(await gone(shop.pod('web'))).toBe(true);
    expect(await gone(shop.pod('web', ''), 0)).toBe(true);
    expect(lines()).toHaveLength(3);
  });

  it('hears of the end of a pod by a watch, which ends then', async () => {
    const shop = namespace();
    shop.exists('web');
    shop.watches('7');
    const wait = gone(shop.pod('web'));
    await shop.opened();
    shop.say('MODIFIED', 'web');
    shop.say('DELETED', 'other');
    shop.say('DELETED', 'web', 'uid-of-an-earlier-one');
    shop.say('DELETED', 'web');
    expect(await wait).toBe(true);
    await shop.closed();
  });

  it('tells a pod from its successor', async () => {
    const shop = namespace();
    shop.exists('db-0');
    shop.watches('7');
    const wait = gone(shop.pod('db-0'));
    await shop.opened();
    shop.say('ADDED', 'db-0', 'uid-2');
    expect(await wait).toBe(true);
  });

  it('shares one watch among all waits in a namespace', async () => {
    const shop = namespace();
    const names = Array.from({ length: 30 }, (_, number) => `web-${number}`);
    for (const name of names) shop.exists(name);
    shop.watches('7');
    const waits = names.map((name) => gone(shop.pod(name)));
    await shop.opened();
    for (const name of names) shop.say('DELETED', name);
    expect(await Promise.all(waits)).toEqual(names.map(() => true));
    expect(shop.count()).toBe(1);
  });

  it('misses nothing that happens before the watch is open', async () => {
    const shop = namespace();
    shop.exists('web');
    recorded.api.answers.set(shop.watchLine('7'), (stream) => {
      shop.vanishes('web');
      stream.writeHead(200, { 'content-type': 'application/json' });
      stream.flushHeaders();
    });
    expect(await gone(shop.pod('web'))).toBe(true);
  });

  it('is false when the time is over', async () => {
    const shop = namespace();
    shop.exists('web');
    shop.watches('7');
    expect(await gone(shop.pod('web'), 0)).toBe(false);
    const before = performance.now();
    expect(await gone(shop.pod('web'), 200)).toBe(false);
    expect(performance.now() - before).toBeGreaterThan(190);
    await shop.closed();
  });

  it('ends with the step, and leaves the other waits alone', async () => {
    const shop = namespace();
    for (const name of ['a', 'b']) shop.exists(name);
    shop.watches('7');
    const step = new AbortController();
    const ended = failureOf(gone(shop.pod('a'), 30_000, step.signal));
    const other = gone(shop.pod('b'));
    await shop.opened();
    step.abort(new Error('the step is over'));
    expect(await ended).toMatchObject({ message: 'the step is over' });
    shop.say('DELETED', 'b');
    expect(await other).toBe(true);
  });

  it('goes on when the server ends the watch', async () => {
    const shop = namespace();
    shop.exists('web');
    shop.watches('7');
    shop.watches('9');
    const wait = gone(shop.pod('web'));
    await shop.opened();
    shop.say('BOOKMARK', '', '', '9');
    shop.end();
    await shop.opened(2);
    shop.say('DELETED', 'web');
    expect(await wait).toBe(true);
  });

  it('goes on when the connection breaks, and hears what happened meanwhile', async () => {
    const shop = namespace();
    shop.exists('web');
    shop.watches('7');
    const wait = gone(shop.pod('web'));
    await shop.opened();
    shop.vanishes('web');
    shop.break();
    expect(await wait).toBe(true);
  });

  it('begins with the present state when its position is too old', async () => {
    const shop = namespace();
    shop.exists('web');
    shop.watches('7');
    shop.watches();
    const wait = gone(shop.pod('web'));
    await shop.opened();
    shop.sayError(410);
    await shop.opened(2);
    shop.say('ADDED', 'web');
    shop.say('DELETED', 'web');
    expect(await wait).toBe(true);
  });

  it('does not take an API server that is away for a pod that is gone, nor for one that stays', async () => {
    const shop = namespace();
    recorded.api.answers.set(`GET /api/v1/namespaces/${shop.pod('web').namespace}/pods/web`, 'hang up');
    expect(await failureOf(gone(shop.pod('web')))).toMatchObject({ code: 'unreachable' });
    shop.exists('web');
    recorded.api.answers.set(shop.watchLine('7'), 'hang up');
    expect(await failureOf(gone(shop.pod('web'), 1_000))).toMatchObject({ code: 'unreachable' });
  });

  it('says at once that it may not watch', async () => {
    const shop = namespace();
    shop.exists('web');
    recorded.api.answers.set(shop.watchLine('7'), statusOf(403, 'Forbidden', 'pods is forbidden'));
    expect(await failureOf(gone(shop.pod('web')))).toMatchObject({ code: 'refused', message: 'pods is forbidden' });
  });
});
