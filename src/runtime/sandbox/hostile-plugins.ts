import type { Door } from '../../model/capability.ts';
import { podOf } from '../../model/definition.ts';
import type { ActionResult } from '../../model/outcome.ts';
import type { PodRef } from '../../model/references.ts';
import { DONE, testActionner } from './honest-plugins.ts';

/** Actionners for tests that do what no plug-in should. */

const hostile = (name: string, run: Parameters<typeof testActionner<Door>>[2]) =>
  testActionner<Door>(name, ['pods.label'], run);

// Time and memory

export const loops = hostile('loops', async () => {
  for (;;);
});

export const loopsLater = hostile('loopsLater', async ({ targets, use }) => {
  await use['pods.label'](podOf(targets), { a: 'b' });
  for (;;);
});

export const loopsInBuiltIns = hostile('loopsInBuiltIns', async () => {
  for (;;) new Array(1e5).fill(1);
});

export const loopsInMicrotasks = hostile('loopsInMicrotasks', async () => {
  for (;;) await null;
});

export const catchesItsEnd = hostile('catchesItsEnd', async () => {
  const loop = async () => {
    for (;;);
  };
  await loop().catch(() => undefined);
  return DONE;
});

export const backtracks = hostile('backtracks', async ({ parameters }) => {
  /^(a+)+$/.test(`${'a'.repeat(40)}${parameters.text || 'b'}`);
  return DONE;
});

export const hoardsArrays = hostile('hoardsArrays', async () => {
  const hoard: unknown[] = [];
  for (;;) hoard.push(new Array(1e5).fill(1));
});

export const hoardsObjects = hostile('hoardsObjects', async () => {
  const hoard: unknown[] = [];
  for (;;) hoard.push({ hoard });
});

export const hoardsBuffers = hostile('hoardsBuffers', async () => {
  const hoard: unknown[] = [];
  for (;;) {
    hoard.push(new Uint8Array(1 << 20).fill(1));
    await null;
  }
});

export const hoardsText = hostile('hoardsText', async ({ use, targets }) => {
  let text = 'x';
  for (;;) {
    text += text;
    await use['pods.label'](podOf(targets), { a: text.slice(1) }).catch(() => undefined);
  }
});

export const recurses = hostile('recurses', async () => {
  const deeper = (level: number): number => 1 + deeper(level + 1);
  return { ...DONE, output: String(deeper(0)) };
});

/** The parser of QuickJS goes deeper than its own limit of the stack, down to that of the thread. */
export const nestsCode = hostile('nestsCode', async () => {
  new Function('['.repeat(100_000));
  return DONE;
});

/** What comes with the next answer breaks, in a way that cannot be told. */
export const breaksUnreadably = hostile('breaksUnreadably', async ({ use, targets }) => {
  JSON.parse = () => {
    throw { message: { toString: 1 } };
  };
  await use['pods.label'](podOf(targets), { a: 'b' });
  return DONE;
});

export const breaksWithPromise = hostile('breaksWithPromise', async ({ use, targets }) => {
  JSON.parse = () => {
    throw new Promise(() => undefined);
  };
  await use['pods.label'](podOf(targets), { a: 'b' });
  return DONE;
});

export const neverSettles = hostile('neverSettles', () => new Promise(() => undefined));

export const throwsNothing = hostile('throwsNothing', () => Promise.reject());

export const rejectsLater = hostile('rejectsLater', async () => {
  void Promise.reject(new Error('nobody looks'));
  return DONE;
});

// Doors and references

/** Sends messages as they are, past the program that stands before every plug-in. */
function send(message: object): void {
  const stringify = JSON.stringify;
  JSON.stringify = () => stringify(message);
  // The door's call is what is sent; its text is the one above.
  void forger?.();
  JSON.stringify = stringify;
}
let forger: (() => unknown) | undefined;

/** Asks for any door, with anything. */
function ask(use: unknown, door: string, given: readonly unknown[]): Promise<unknown> {
  const stringify = JSON.stringify;
  let part = 0;
  JSON.stringify = ((value: object) => stringify(part++ === 0 ? given : { ...value, door })) as typeof JSON.stringify;
  const answer = (use as Record<string, (...given: readonly unknown[]) => Promise<unknown>>)['pods.label']?.(...given);
  JSON.stringify = stringify;
  return Promise.resolve(answer);
}

export const asksUnlisted = hostile('asksUnlisted', async ({ use, targets }) => {
  await ask(use, 'pods.delete', [podOf(targets), 0]);
  return DONE;
});

export const asksNoDoor = hostile('asksNoDoor', async ({ use, parameters }) => {
  await ask(use, parameters.text, []);
  return DONE;
});

export const aimsElsewhere = hostile('aimsElsewhere', async ({ use }) => {
  const elsewhere: PodRef = { kind: 'pod', ref: 77, name: 'etcd', namespace: 'kube-system' };
  await use['pods.label'](elsewhere, { a: 'b' });
  return DONE;
});

export const forgesReference = hostile('forgesReference', async ({ use, targets }) => {
  const shapes = ['0', -1, 0.5, Number.NaN, null, [0], { valueOf: 0 }, 'length', '__proto__', 2 ** 53];
  const refusals = shapes.map((ref) =>
    use['pods.label']({ ...podOf(targets), ref: ref as number }, { a: 'b' }).then(
      () => 'opened',
      () => 'refused',
    ),
  );
  return { ...DONE, output: [...new Set(await Promise.all(refusals))].join() };
});

export const renamesReference = hostile('renamesReference', async ({ use, targets }) => {
  await use['pods.label']({ ...podOf(targets), name: 'etcd', namespace: 'kube-system' }, { a: 'b' });
  return DONE;
});

/** Passes the pod of its step off as anything else, and anything else as of its step. */
export const forgesKinds = testActionner(
  'forgesKinds',
  [
    'pods.exec',
    'networkpolicies.apply',
    'objects.delete',
    'events.create',
    'lambda.invoke',
    'files.put',
    'http.send',
    'mail.send',
  ],
  async ({ use, targets }) => {
    const pod = podOf(targets);
    const { name, namespace } = pod;
    const refs = [pod.ref, 0, 1, 7, -1].flatMap((ref) => [
      { ...pod, ref },
      { ref, kind: 'container', name: 'main', pod: { kind: 'pod', name, namespace, uid: 'uid-1' } },
      { ref, kind: 'workload', name, namespace, labels: {} },
      { ref, kind: 'object', resource: 'secrets', name, namespace },
      { ref, kind: 'subject', of: 'Node', name, namespace: '' },
      { ref, kind: 'function', name, location: '', payload: '{}' },
      { ref, kind: 'store', category: 'local', name: '/etc', prefix: '', region: '' },
      { ref, kind: 'endpoint', name, url: 'http://169.254.169.254/', headers: {} },
      { ref, kind: 'mailbox', name, server: 'mail:25', from: 'a@b', to: ['c@d'] },
      { ref, kind: 'artifact', handle: '0'.repeat(32), name: 'passwd', size: 1, sha256: '', mediaType: '' },
    ]);
    const doors = use as Readonly<Record<string, (...given: readonly unknown[]) => Promise<unknown>>>;
    const tried = [
      'pods.exec',
      'networkpolicies.apply',
      'objects.delete',
      'events.create',
      'lambda.invoke',
      'http.send',
      'mail.send',
    ];
    const asked: Promise<string>[] = [];
    for (const ref of refs) {
      for (const door of tried) {
        asked.push(
          (doors[door]?.(ref, ['id'], '') ?? Promise.reject()).then(
            () => door,
            () => 'refused',
          ),
        );
      }
      asked.push(
        (doors['files.put']?.(ref, ref, 'k') ?? Promise.reject()).then(
          () => 'files.put',
          () => 'refused',
        ),
      );
      await Promise.all(asked);
    }
    return { ...DONE, output: [...new Set(await Promise.all(asked))].join() };
  },
);

export const pollutes = hostile('pollutes', async ({ use, targets }) => {
  const labels = JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":"x","a":"b"}');
  await use['pods.label'](podOf(targets), labels).catch(() => undefined);
  const objects = JSON.parse('{"__proto__":{"polluted":"yes"},"pod":"web","constructor":"x"}');
  return { ...DONE, objects };
});

// The channel

export const floods = hostile('floods', async ({ use, targets }) => {
  for (let count = 0; count < 200_000; count++) void use['pods.label'](podOf(targets), { a: 'b' });
  return DONE;
});

export const floodsSlowly = hostile('floodsSlowly', async ({ use, targets }) => {
  for (;;) await Promise.all(Array.from({ length: 500 }, () => use['pods.label'](podOf(targets), { a: 'b' })));
});

export const sendsMuch = hostile('sendsMuch', async ({ use, targets }) => {
  const text = 'x'.repeat(900_000);
  for (let count = 0; count < 20; count++) void use['pods.label'](podOf(targets), { [`a${count}`]: text });
  return DONE;
});

export const sendsHuge = hostile('sendsHuge', async ({ use, targets }) => {
  await use['pods.label'](podOf(targets), { a: 'x'.repeat(1 << 20) });
  return DONE;
});

export const nests = hostile('nests', async ({ use, targets }) => {
  await ask(use, 'pods.label', [podOf(targets), JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`)]);
  return DONE;
});

export const endsHuge = hostile('endsHuge', async () => ({
  status: 'success',
  output: 'y'.repeat(900_000),
  objects: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${'x'.repeat(index % 30)}`, 'v'])),
}));

export const endsWrong = hostile('endsWrong', async ({ parameters }) => JSON.parse(parameters.text) as ActionResult);

/** Speaks for the steps around it, in every field that could say whose message it is. */
export const answersForNeighbours = hostile('answersForNeighbours', async ({ use, targets, sleep }) => {
  forger = () => use['pods.label'](podOf(targets), {});
  const end = JSON.stringify({ result: { status: 'success', output: 'forged', objects: {} } });
  for (let step = 1; step < 200; step++) {
    send({ kind: 'call', step, s: step, call: 10_000 + step, door: 'sleep', given: '[0]', number: step });
  }
  await sleep(20);
  send({ kind: 'end', step: 1, s: 1, end });
  return DONE;
});

export const babbles = hostile('babbles', async ({ use, targets, parameters }) => {
  forger = () => use['pods.label'](podOf(targets), {});
  send(JSON.parse(parameters.text));
  return DONE;
});

// The way out

export const escapes = hostile('escapes', async () => {
  const found: string[] = [];
  const names = ['process', 'require', 'module', 'fetch', 'WebSocket', 'Worker', 'Buffer', 'WebAssembly', 'setTimeout'];
  for (const name of [...names, 'SharedArrayBuffer', 'Atomics', 'std', 'os', 'console', '__send', '__define']) {
    if (name in globalThis) found.push(name);
  }
  const global = (code: string) => new Function(code)();
  for (const way of ['return this.process', 'return this.constructor.constructor("return process")()']) {
    try {
      if (global(way)) found.push(way);
    } catch {
      // Not there, as it should be.
    }
  }
  for (const name of ['node:fs', 'fs', 'std', 'os', 'data:text/javascript,0', '/etc/passwd', './plugin.js']) {
    await import(name).then(
      () => found.push(name),
      () => undefined,
    );
  }
  return { ...DONE, output: found.join() };
});
