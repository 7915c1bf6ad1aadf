import { expect, test } from 'vitest';
import { compileRules, renderDiagnostics } from './compiler.ts';
import { openBundle, TalonError } from './runtime.ts';

const RULES = `- action: Quarantine
  actionner: kubernetes:label
  parameters: {labels: {quarantine: "true"}}
- rule: Shell in the shop
  match:
    rules: [Terminal shell in container]
    output_fields: [k8s.ns.name=shop]
  continue: false
  actions:
    - action: Quarantine
- rule: Every shell
  match: {rules: [Terminal shell in container]}
  actions:
    - action: Keep the logs
      actionner: kubernetes:log
`;

function alert(rule: string, namespace: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ rule, output_fields: { 'k8s.ns.name': namespace } }));
}

test('rules are compiled, packed, opened and evaluated through the public doors alone', async () => {
  const { bundle, diagnostics } = compileRules([{ path: 'rules.yaml', text: RULES }], { policies: [] });
  expect(diagnostics).toEqual([]);
  if (!bundle) throw new Error('the rules do not compile');
  const engine = await openBundle(bundle.pack());
  expect(engine.revision).toBe(bundle.revision);
  expect(engine.rules).toEqual(bundle.rules);
  expect(engine.evaluate(alert('Terminal shell in container', 'elsewhere'))).toMatchObject({
    ok: true,
    rules: ['Every shell'],
  });
  expect(engine.evaluate(alert('Terminal shell in container', 'shop'))).toEqual({
    ok: true,
    rules: ['Shell in the shop'],
    plan: {
      revision: bundle.revision,
      rules: [
        {
          rule: 'Shell in the shop',
          description: '',
          continue: false,
          dry_run: false,
          notifiers: [],
          written: { continue: false },
          actions: [
            {
              action: 'Quarantine',
              description: '',
              actionner: 'kubernetes:label',
              continue: true,
              ignore_errors: false,
              parameters: { labels: { quarantine: 'true' } },
              additional_contexts: [],
              output: null,
              written: {},
            },
          ],
        },
      ],
    },
  });
  expect(engine.evaluate(alert('Other', 'shop'))).toMatchObject({ ok: true, rules: [], plan: { rules: [] } });
  expect(engine.evaluate(new TextEncoder().encode('{"rule": 1}'))).toMatchObject({ ok: false, code: 2 });
});

test('policies travel with the rules', async () => {
  const text = `- policy: Protected
  actionners: [destructive]
  deny:
    - {expression: 'target.namespace == "kube-system"', message: the namespace is protected}
`;
  const files = [{ path: 'rules.yaml', text: RULES }];
  const { bundle, diagnostics } = compileRules(files, { policies: [{ path: 'policies.yaml', text }] });
  expect(diagnostics).toEqual([]);
  if (!bundle) throw new Error('the policies do not compile');
  expect((await openBundle(bundle.pack())).guards).toEqual([
    {
      policy: 'Protected',
      description: '',
      mode: 'enforce',
      actionners: ['destructive'],
      deny: [{ expression: 'target.namespace == "kube-system"', message: 'the namespace is protected' }],
      budgets: [],
    },
  ]);
  const wrong = text.replace('target.namespace', 'target.owner.name');
  const refused = compileRules(files, { policies: [{ path: 'policies.yaml', text: wrong }] });
  expect(refused.bundle).toBeUndefined();
  expect(renderDiagnostics(refused.diagnostics, refused.sources, 'text')).toContain(
    'policies.yaml:4:21: error T1909: `target.owner` may be missing',
  );
});

test('errors leave no bundle, and are drawn', () => {
  const text = RULES.replace('kubernetes:log', 'kubernetes:lgo');
  const { bundle, diagnostics, sources } = compileRules([{ path: 'rules.yaml', text }]);
  expect(bundle).toBeUndefined();
  expect(renderDiagnostics(diagnostics, sources, 'text')).toBe(
    `rules.yaml:15:18: error T1301: unknown actionner \`kubernetes:lgo\`
  |       actionner: kubernetes:lgo
  |                  ^^^^^^^^^^^^^^
  = hint: did you mean \`kubernetes:log\`?
`,
  );
});

test('scripts are read through the given function only', () => {
  const text = `- rule: r
  match: {rules: [a]}
  actions:
    - {action: a, actionner: kubernetes:script, parameters: {file: look.sh}}
`;
  const read = compileRules([{ path: 'rules.yaml', text }], { readFile: (path) => `echo ${path}` });
  expect(read.bundle?.rules[0]?.actions[0]?.files).toEqual({ file: 'echo look.sh' });
  const unread = compileRules([{ path: 'rules.yaml', text }]);
  expect(unread.diagnostics).toMatchObject([{ code: 'T1307' }]);
});

test('what is no bundle is refused with the reason', async () => {
  const opening = openBundle(new TextEncoder().encode('no bundle'));
  await expect(opening).rejects.toBeInstanceOf(TalonError);
  await expect(opening).rejects.toMatchObject({
    code: 'bundle',
    message: 'the bundle is refused: it is not a gzip file',
  });
});
