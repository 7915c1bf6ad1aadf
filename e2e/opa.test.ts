import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody, podAlert } from './alert.ts';
import { componentPath } from './components/catalog.ts';
import { runProgram, runTalon } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const RULES = `
- action: Quarantine
  actionner: kubernetes:label
  parameters:
    labels: {quarantine: "true"}
- rule: Shells in the shop
  match:
    rules: [Terminal shell in container]
    priority: ">=Notice"
    source: syscall
    tags: [container]
    output_fields: [k8s.ns.name=shop]
  actions:
    - action: Quarantine
    - action: Kill
      actionner: kubernetes:terminate
      parameters: {grace_period_seconds: 5, min_healthy_replicas: 50%}
- rule: Every alert
  description: 'Text with "quotes", a \\ and an é'
  continue: "false"
  notifiers: [slack]
  actions:
    - action: Quarantine
      ignore_errors: "true"
      parameters: {level: node}
- rule: Never reached
  match: {rules: [Terminal shell in container]}
  actions:
    - action: Quarantine
`;

const ALERTS = [
  ['two rules', podAlert('Terminal shell in container', 'shop', 'web'), ['Shells in the shop', 'Every alert']],
  ['one rule', podAlert('Terminal shell in container', 'elsewhere', 'web'), ['Every alert']],
  [
    'odd values',
    alertBody({ rule: 'Ünïcode "rule"\n', source: '', fields: { deep: { list: [1, 1e300, null] } } }),
    ['Every alert'],
  ],
] as const;

describe('a bundle in the real opa', () => {
  let folder: string;

  beforeAll(async () => {
    folder = makeScratch();
    writeFileSync(join(folder, 'rules.yaml'), RULES);
    const compiled = await runTalon(folder, ['compile', 'rules.yaml', '-o', 'bundle.tar.gz']);
    expect(compiled).toMatchObject({ code: 0 });
  });
  afterAll(() => removeScratch(folder));

  it.each(ALERTS)('gives the same plan: %s', async (_, alert, rules) => {
    writeFileSync(join(folder, 'alert.json'), alert);
    const own = await talonEval();
    expect(own.rules).toEqual(rules);
    expect(own.plan).toMatchObject({ rules: rules.map((rule) => ({ rule })) });
    expect(await opaEval('data.talon.plan')).toEqual(own.plan);
    expect(await opaEval('data.talon.match')).toEqual(own.rules);
  });

  async function opaEval(query: string): Promise<unknown> {
    const command = [componentPath('opa'), 'eval', '-b', 'bundle.tar.gz', '-i', 'alert.json', '--format=json', query];
    const { code, stdout, stderr } = await runProgram(command, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const answer = JSON.parse(stdout) as OpaAnswer;
    return answer.result[0]?.expressions[0]?.value;
  }

  async function talonEval(): Promise<{ readonly plan: unknown; readonly rules: unknown }> {
    const { code, stdout } = await runTalon(folder, ['eval', '-r', 'rules.yaml', 'alert.json', '--format', 'json']);
    expect(code).toBe(0);
    return JSON.parse(stdout) as { plan: unknown; rules: unknown };
  }
});

interface OpaAnswer {
  readonly result: readonly { readonly expressions: readonly { readonly value: unknown }[] }[];
}
