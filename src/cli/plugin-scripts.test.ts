import { afterAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createExecutor } from '../runtime/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../runtime/executor-fixture.ts';
import { catalog } from './catalog.ts';
import { pluginScripts } from './plugin-scripts.gen.ts';
import { workerStart } from './worker-file.ts';

const { adapters } = fakeAdapters({ 'pods.owner': async () => ({ kind: 'ReplicaSet', name: 'web-1' }) });
const executor = createExecutor({
  adapters,
  scripts: pluginScripts,
  worker: workerStart('sandbox'),
  heartbeat: { silence: 20_000 },
});
afterAll(() => executor.end());

const acting = [...catalog.actionners.values()].filter(({ behaviour }) => behaviour);

it.each(acting.map((actionner) => [actionner.id, actionner] as const))(
  'the example of %s runs',
  async (_, actionner) => {
    const [{ parameters = null }] = parse(actionner.example);
    const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });
    const { record } = memoryRecord();
    const tokens = () => new Map([['FD_NAME', '/etc/motd']]);
    const step = { actionner, parameters, event, tokens, record, milliseconds: 30_000 };
    const outcome = await executor.run(step, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'success', objects: { pod: 'web', namespace: 'shop' } });
  },
);
