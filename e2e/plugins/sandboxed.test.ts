import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workerStart } from '../../src/cli/worker-file.ts';
import type { Actionner } from '../../src/model/definition.ts';
import { createExecutor, type Executor } from '../../src/runtime/plugins/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../../src/runtime/plugins/executor-fixture.ts';
import { buildPluginScript } from '../../tools/generate/plugin-scripts.ts';
import { hang } from './hang.ts';
import { noop } from './noop.ts';
import { once } from './once.ts';

const PLUGINS: Readonly<Record<string, Actionner>> = { hang, noop, once };
const event = alertWith({ 'k8s.pod.name': 'pod-0', 'k8s.ns.name': 'shop' });
let executor: Executor;
beforeAll(async () => {
  const scripts = await Promise.all(
    Object.entries(PLUGINS).map(
      async ([name, { id }]) => [id, await buildPluginScript(join(import.meta.dirname, `${name}.ts`), name)] as const,
    ),
  );
  executor = createExecutor({
    adapters: fakeAdapters().adapters,
    scripts: new Map(scripts),
    worker: workerStart('sandbox'),
    heartbeat: { silence: 20_000 },
  });
});
afterAll(() => executor.end());

function run(actionner: Actionner, parameters: object | null, milliseconds = 30_000) {
  const step = { actionner, parameters, event, record: memoryRecord().record, milliseconds };
  return executor.run(step, new AbortController().signal);
}

describe('the plug-ins for tests, in the sandbox', () => {
  it('do nothing', async () => {
    expect(await run(noop, null)).toMatchObject({ status: 'success', objects: { pod: 'pod-0' } });
  });

  it('act once', async () => {
    expect(await run(once, { labels: { a: 'b' }, linger: 0 })).toMatchObject({ status: 'success' });
  });

  it('hang until their time is over', async () => {
    expect(await run(hang, null, 200)).toMatchObject({ status: 'failure', code: 'deadline' });
  });
});
