import { describe, expect, it, onTestFinished } from 'vitest';
import { ApiPresence } from './api-presence.ts';
import { answerText } from './bounded-body.ts';
import { createKubeAdapters } from './kube-adapters.ts';
import { KubeRefusal } from './kube-refusal.ts';
import { failureOf, POD_PATH, pod, READ, signal, useRecordedKube } from './recorded-kube.ts';
import { type Answer, RecordingApi, statusOf, TOKEN } from './recording-api.ts';

const recorded = useRecordedKube();

const FOUND: Answer = { status: 200, body: { kind: 'Pod', metadata: { name: 'web', uid: 'uid-1' } } };

describe('an answer that is not good', () => {
  const label = () => failureOf(recorded.kube.adapters['pods.label'](pod(), { a: 'b' }, signal));

  it("is Falco Talon's text for a pod that does not exist, whichever request says so", async () => {
    const missing = {
      name: 'DoorError',
      code: 'not-found',
      message: "the pod 'web' in the namespace 'shop' doesn't exist",
    };
    expect(await label()).toMatchObject(missing);
    for (const lookup of ['pods.owner', 'nodes.ofPod'] as const) {
      expect(await failureOf(recorded.kube.adapters[lookup](pod(), signal))).toMatchObject(missing);
    }
    expect(await failureOf(recorded.kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject(missing);
    recorded.api.answers.set(READ, FOUND);
    expect(await failureOf(recorded.kube.adapters['pods.delete'](pod(), 0, signal))).toMatchObject(missing);
  });

  it.each([
    [400, 'BadRequest', 'refused', 'the words'],
    [401, 'Unauthorized', 'refused', 'the words'],
    [403, 'Forbidden', 'refused', 'the words'],
    [409, 'AlreadyExists', 'refused', 'the words'],
    [409, 'Conflict', 'conflict', 'the words'],
    [422, 'Invalid', 'refused', 'the words'],
    [408, 'Timeout', 'busy', 'the Kubernetes API answered 408: the words'],
    [410, 'Expired', 'busy', 'the Kubernetes API answered 410: the words'],
    [429, 'TooManyRequests', 'busy', 'the Kubernetes API answered 429: the words'],
    [500, 'InternalError', 'busy', 'the Kubernetes API answered 500: the words'],
    [503, 'ServiceUnavailable', 'busy', 'the Kubernetes API answered 503: the words'],
    [504, 'Timeout', 'busy', 'the Kubernetes API answered 504: the words'],
  ])('%i %s is %s', async (code, reason, failure, message) => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, statusOf(code, reason, 'the words'));
    expect(await label()).toMatchObject({ name: 'DoorError', code: failure, message });
  });

  it.each([
    'Operation cannot be fulfilled on pods "web": Precondition failed: UID in precondition: a, UID in object meta: b',
    'the UID in the precondition (a) does not match the UID in record (b). The object might have been deleted and then recreated',
  ])('is final when another pod has taken the place of the one that was meant', async (message) => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, statusOf(409, 'Conflict', message));
    expect(await label()).toMatchObject({ code: 'refused', message });
  });

  it.each<[string, Answer, number | undefined]>([
    ['in a header', { ...statusOf(429, 'TooManyRequests', 'x'), headers: { 'retry-after': '7' } }, 7000],
    [
      'as a date',
      { ...statusOf(503, 'x', 'x'), headers: { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' } },
      3_600_000,
    ],
    ['in the answer', { status: 429, body: { kind: 'Status', details: { retryAfterSeconds: 10 } } }, 10_000],
    ['nowhere', statusOf(429, 'TooManyRequests', 'x'), undefined],
    ['in the past', { ...statusOf(429, 'x', 'x'), headers: { 'retry-after': '-1' } }, undefined],
    ['in words', { ...statusOf(500, 'x', 'x'), headers: { 'retry-after': 'later' } }, undefined],
    ['where nothing is to be tried again', { ...statusOf(403, 'x', 'x'), headers: { 'retry-after': '1' } }, undefined],
  ])('says when to ask again, %s', async (_, answer, retryAfterMs) => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, answer);
    expect(((await label()) as { retryAfterMs?: number }).retryAfterMs).toBe(retryAfterMs);
  });

  it.each<[string, Answer, string, string]>([
    [
      'a 404 of a proxy',
      { status: 404, body: '404 page not found\n' },
      'refused',
      'the Kubernetes API answered 404: 404 page not found',
    ],
    [
      'a page of a gateway',
      { status: 502, body: '<html>Bad Gateway</html>' },
      'unreachable',
      'the Kubernetes API answered 502: <html>Bad Gateway</html>',
    ],
    ['a redirect', { status: 302, body: '' }, 'refused', 'the Kubernetes API answered 302'],
    ['JSON of another kind', { status: 403, body: null }, 'refused', 'the Kubernetes API answered 403: null'],
  ])('%s is not mistaken for an answer of the API', async (_, answer, code, message) => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, answer);
    expect(await label()).toMatchObject({ code, message });
  });

  it('is cut where it is long', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, statusOf(422, 'Invalid', 'x'.repeat(50_000)));
    expect((await label()) as Error).toMatchObject({ message: 'x'.repeat(2000) });
  });
});

describe('an answer without an end', () => {
  it.each([403, 404, 500])('is read no further than somebody wants: %i', async (status) => {
    let sent = 0;
    let closed = false;
    recorded.api.answers.set(`PATCH ${POD_PATH}`, (stream) => {
      stream.writeHead(status, { 'content-type': 'text/html' });
      stream.on('close', () => {
        closed = true;
      });
      const part = 'x'.repeat(65_536);
      const more = () => {
        while (!closed && stream.write(part)) sent += part.length;
        if (!closed) stream.once('drain', more);
      };
      more();
    });
    const failure = await failureOf(recorded.kube.adapters['pods.label'](pod(), { a: 'b' }, signal));
    expect(failure).toMatchObject({ name: 'DoorError', message: expect.stringMatching(/answered \d+: x+$/) });
    await expect.poll(() => closed).toBe(true);
    expect(sent).toBeLessThan(64 * 2 ** 20);
  });

  it('is none where it would have been good', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(1000, 'x');
    }
    await expect(answerText(endless(), 4_500)).rejects.toThrow('the answer has more than 4500 bytes');
    expect(await answerText([Buffer.from('\u00e9'), Buffer.from('y')] as never, 3)).toBe('\u00e9y');
  });
});

describe('an API server that starts', () => {
  const forbidden = statusOf(403, 'Forbidden', 'pods "web" is forbidden: User "talon" cannot patch resource "pods"');
  const unauthorized = statusOf(401, 'Unauthorized', 'Unauthorized');
  const quota = statusOf(403, 'Forbidden', 'pods "web" is forbidden: exceeded quota');

  async function codes(...answers: Answer[]) {
    const kube = createKubeAdapters({ kubeconfig: recorded.api.kubeconfig('starting') });
    await kube.init();
    const found: unknown[] = [];
    for (const answer of answers) {
      recorded.api.answers.set(`PATCH ${POD_PATH}`, answer);
      const failure = await failureOf(kube.adapters['pods.label'](pod(), { a: 'b' }, signal));
      found.push((failure as { code?: string }).code);
    }
    await kube.close();
    return found;
  }

  it('knows nobody for a while, which is no refusal', async () => {
    expect(await codes(forbidden, unauthorized)).toEqual(['refused', 'refused']);
    expect(await codes('hang up', forbidden, unauthorized)).toEqual(['unreachable', 'unreachable', 'unreachable']);
  });

  it('is believed when it says what it refuses', async () => {
    expect(await codes('hang up', quota)).toEqual(['unreachable', 'refused']);
  });

  it('is not believed where it says itself that it is not ready', async () => {
    const notReady = statusOf(403, 'Forbidden', 'pods "web" is forbidden: not yet ready to handle request');
    expect(await codes(notReady)).toEqual(['unreachable']);
  });

  it('is believed again a minute later', () => {
    let now = 0;
    const presence = new ApiPresence(() => now);
    const refusal = new KubeRefusal(401, '');
    presence.lost();
    now = 59_000;
    expect(presence.judge(refusal)).toMatchObject({ code: 'unreachable', cause: refusal });
    now = 61_000;
    expect(presence.judge(refusal)).toBe(refusal);
  });

  it('was not away when a step gave up', async () => {
    const kube = createKubeAdapters({ kubeconfig: recorded.api.kubeconfig('patient') });
    await kube.init();
    recorded.api.answers.set(`PATCH ${POD_PATH}`, 'silence');
    await failureOf(kube.adapters['pods.label'](pod(), {}, AbortSignal.timeout(50)));
    recorded.api.answers.set(`PATCH ${POD_PATH}`, forbidden);
    expect(await failureOf(kube.adapters['pods.label'](pod(), {}, signal))).toMatchObject({ code: 'refused' });
    await kube.close();
  });
});

/** Adapters that do not wait for an answer for long. They end with the test. */
async function impatient() {
  const kube = createKubeAdapters({ kubeconfig: recorded.api.kubeconfig(), answerTimeout: 400 });
  await kube.init();
  onTestFinished(() => kube.close());
  return kube.adapters;
}

describe('no answer', () => {
  const label = (given = signal) => failureOf(recorded.kube.adapters['pods.label'](pod(), { a: 'b' }, given));

  it('ends after a while', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, 'silence');
    const adapters = await impatient();
    const before = performance.now();
    expect(await failureOf(adapters['pods.label'](pod(), { a: 'b' }, signal))).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^no answer .*timeout/i),
    });
    // Without the setting it would take 15 s.
    expect(performance.now() - before).toBeLessThan(14_000);
  });

  it('is told from an answer', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, 'hang up');
    expect(await label()).toMatchObject({ code: 'unreachable', message: expect.stringMatching(/^no answer from the/) });
  });

  it('is waited for only as long as the step', async () => {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, 'silence');
    const controller = new AbortController();
    const failure = label(controller.signal);
    await expect.poll(() => recorded.api.seen).toHaveLength(1);
    controller.abort(new Error('the step is over'));
    expect(await failure).toMatchObject({ code: 'unreachable' });
  });

  it('is the end of it where nobody listens', async () => {
    const gone = new RecordingApi();
    await gone.start();
    const away = createKubeAdapters({ kubeconfig: gone.kubeconfig() });
    await away.init();
    await gone.stop();
    const failure = (await failureOf(away.adapters['pods.label'](pod(), { a: 'b' }, signal))) as Error;
    expect(failure).toMatchObject({ code: 'unreachable' });
    expect(failure.message).toMatch(/^no answer from the Kubernetes API: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
    await away.close();
  });
});

it('never shows the token', async () => {
  const adapters = await impatient();
  const failures: unknown[] = [];
  for (const answer of [
    'hang up',
    'silence',
    statusOf(401, 'Unauthorized', 'Unauthorized'),
    { status: 500, body: '' },
  ] as const) {
    recorded.api.answers.set(`PATCH ${POD_PATH}`, answer);
    failures.push(await failureOf(adapters['pods.label'](pod(), { a: 'b' }, signal)));
  }
  for (const failure of failures) expect(String(failure)).not.toContain(TOKEN);
});

it('keeps connections, and sends as much at once as it is asked for', async () => {
  recorded.api.answers.set(`PATCH ${POD_PATH}`, FOUND);
  const before = performance.now();
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      Array.from({ length: 200 }, () => recorded.kube.adapters['pods.label'](pod(), { a: 'b' }, signal)),
    );
  }
  expect(recorded.api.seen).toHaveLength(600);
  expect(recorded.api.sockets.size).toBeLessThanOrEqual(64);
  // Five a second, as client-go allows, would take two minutes.
  expect(performance.now() - before).toBeLessThan(50_000);
});
