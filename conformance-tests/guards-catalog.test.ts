import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ALL_FIELDS, GOOD_WORLD } from '../src/cli/contract/good-world.ts';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { pluginScripts } from '../src/cli/plugins/plugin-scripts.gen.ts';
import { workerStart } from '../src/cli/worker-file.ts';
import { compile } from '../src/compiler/compile.ts';
import type { Door } from '../src/model/capability.ts';
import { DOORS } from '../src/model/doors.ts';
import type { TargetLookups } from '../src/model/target-facts.ts';
import { openRules } from '../src/runtime/engine/open-bundle.ts';
import { Budgets } from '../src/runtime/guards/budgets.ts';
import { createGuard } from '../src/runtime/guards/guard.ts';
import { createExecutor } from '../src/runtime/plugins/execute.ts';
import { fakeAdapters } from '../src/runtime/plugins/executor-fixture.ts';
import { World } from '../src/runtime/test-pipeline.ts';

const lookups: TargetLookups = {
  pod: async ({ namespace, name }) => ({
    ...{ namespace, name, uid: 'uid-1', labels: {}, owner: null, node: '', containerIds: [] },
  }),
  node: async ({ name }) => ({ name, labels: {}, hostnames: [] }),
};

const { adapters, calls } = fakeAdapters({}, GOOD_WORLD);
const executor = createExecutor({
  ...{ adapters, scripts: pluginScripts, worker: workerStart('sandbox'), heartbeat: { silence: 20_000 } },
});
afterAll(() => executor.end());
beforeEach(() => {
  calls.length = 0;
});

const effects = () => calls.map(([door]) => door as Door).filter((door) => DOORS[door].effect);

/** Runs the example of an actionner for an alert, under a guard that says this of every action. */
async function runExample(id: string, deny: string) {
  const example = catalog.actionners.get(id)?.example ?? '';
  const action = /^- action: (.+)$/m.exec(example)?.[1];
  const files = [
    {
      path: 'rules.yaml',
      text: `${example}\n- rule: R\n  match:\n    rules: [Shell]\n  actions:\n    - action: ${action}\n`,
    },
  ];
  const policies = [
    { path: 'p.yaml', text: `- policy: P\n  deny:\n    - expression: ${JSON.stringify(deny)}\n      message: "no"\n` },
  ];
  const { bundle, diagnostics } = compile(files, { catalog, policies });
  if (!bundle) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  const engine = openRules(bundle);
  const guard = createGuard({
    ...{ policies: engine.guards, budgets: new Budgets(), lookups, dryRun: false, now: Date.now },
  });
  const world = new World({}, { executor, actionners: catalog.actionners, outputs: catalog.outputs });
  const head = { rule: 'Shell', priority: '', source: 'syscall', output: 'o', trace_id: 't' };
  const body = Buffer.from(JSON.stringify({ ...head, output_fields: ALL_FIELDS }));
  const matched = Array.from({ length: engine.evaluator.scan(body) }, (_, at) => engine.evaluator.matched(at));
  const policy = { revision: engine.revision, rules: engine.rules, guard };
  await new Promise((resolve) => world.pipeline.admit({ head, body, policy, rules: matched }, resolve));
  await world.lanes.idle();
  return world.told.map(({ kind }) => kind);
}

describe.each([...catalog.actionners.keys()])('%s', (id) => {
  test('does nothing that a guard denies', async () => {
    expect(await runExample(id, 'true')).toContain('denied');
    expect(effects()).toEqual([]);
  });

  test('acts where guards let it', async () => {
    await runExample(id, 'false');
    expect(calls.length).toBeGreaterThan(0);
  });
});
