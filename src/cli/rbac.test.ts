import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runRecorded } from './run-recorded.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-rbac-'));
  writeFileSync(path.join(folder, 'config.yaml'), 'default_notifiers: [K8sevents]\nrules_files: []\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What `talon rbac` prints for a rule with one action. */
async function rightsFor(action: string, argv: readonly string[] = [], rule = ''): Promise<string> {
  const rules = path.join(folder, 'rules.yaml');
  writeFileSync(rules, `- rule: R\n  match: {rules: [x]}\n${rule}  actions:\n    - {action: a, ${action}}\n`);
  const { code, out, err } = await runRecorded(['rbac', '-r', rules, ...argv], { env: {} }, folder);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}
const verbs = (role: string): Record<string, string[]> =>
  Object.fromEntries(
    parse(role).rules.map((rule: { resources: string[]; verbs: string[] }) => [rule.resources[0], rule.verbs]),
  );

describe('rbac', () => {
  test('prints the least role: what the actions do with their parameters, and nothing else', async () => {
    const label = (level: string) =>
      rightsFor(`actionner: 'kubernetes:label', parameters: {level: ${level}, labels: {a: b}}`);
    expect(verbs(await label('pod'))).toEqual({ pods: ['patch'] });
    expect(verbs(await label('node'))).toEqual({ pods: ['get'], nodes: ['patch'] });
    const terminate = (parameters: string) =>
      rightsFor(`actionner: 'kubernetes:terminate', parameters: {${parameters}}`);
    expect(verbs(await terminate(''))).toEqual({ pods: ['delete', 'get'] });
    expect(verbs(await terminate('min_healthy_replicas: 50%'))).toEqual({
      pods: ['delete', 'get'],
      replicasets: ['get'],
    });
  });

  test('counts guards, contexts, outputs and the default notifiers of a configuration', async () => {
    const exec = `actionner: 'kubernetes:exec', parameters: {command: id}, additional_contexts: [k8snode]`;
    expect(verbs(await rightsFor(exec))).toMatchObject({ nodes: ['get'], 'pods/exec': ['create', 'get'] });
    const cordon = `actionner: 'kubernetes:cordon'`;
    expect(verbs(await rightsFor(cordon, ['-c', path.join(folder, 'config.yaml')]))).toMatchObject({
      events: ['create'],
    });
    expect(verbs(await rightsFor(cordon, [], '  notifiers: [k8sevents]\n'))).toMatchObject({ events: ['create'] });
    const log = `actionner: 'kubernetes:log', output: {target: 'aws:s3', parameters: {bucket: b}}`;
    expect(await rightsFor(log)).toContain('# AWS must allow: s3:PutObject\n');
  });

  test('counts what parameters of outputs need', async () => {
    const allowed = async (target: string, parameters = '', actionner = 'kubernetes:log') => {
      const output = `output: {target: '${target}', parameters: {bucket: b${parameters}}}`;
      const { aws, gcp } = JSON.parse(await rightsFor(`actionner: '${actionner}', ${output}`, ['--format', 'json']));
      return [...aws, ...gcp];
    };
    expect(await allowed('aws:s3', ', encryption: AES256')).toEqual(['s3:PutObject']);
    expect(await allowed('aws:s3', ', keep_existing: true')).toEqual(['s3:GetObject', 's3:PutObject']);
    expect(await allowed('aws:s3', ', lock_mode: GOVERNANCE, lock_days: 1')).toEqual([
      ...['s3:PutObject', 's3:PutObjectRetention'],
    ]);
    expect(await allowed('aws:s3', ", encryption: 'aws:kms'")).toEqual(['kms:GenerateDataKey', 's3:PutObject']);
    expect(await allowed('gcp:gcs')).toEqual(['storage.objects.create']);
    expect(await allowed('gcp:gcs', ', keep_existing: true')).toEqual([
      ...['storage.objects.create', 'storage.objects.get'],
    ]);
    expect(await allowed('aws:s3', ', keep_existing: true', 'kubernetes:cordon')).toEqual([]);
  });

  test('says when nothing is needed in the cluster, and names the role as asked', async () => {
    const lambda = `actionner: 'aws:lambda', parameters: {aws_lambda_name: f}`;
    const out = await rightsFor(lambda, ['--name', 'mine']);
    expect(out).toContain('# They need none in the cluster.\n# AWS must allow: lambda:GetFunction\n');
    expect(parse(out)).toMatchObject({ metadata: { name: 'mine' }, rules: [] });
    const { cluster_role, aws, reaches } = JSON.parse(await rightsFor(lambda, ['--format', 'json']));
    expect({ rules: cluster_role.rules, aws, reaches }).toEqual({
      rules: [],
      aws: ['lambda:GetFunction', 'lambda:InvokeFunction'],
      reaches: [],
    });
  });

  test('refuses what is no bundle, and rules with errors', async () => {
    const none = await runRecorded(['rbac', path.join(folder, 'none.tar.gz')], { env: {} }, folder);
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.err).toContain('none.tar.gz');
    writeFileSync(path.join(folder, 'bad.yaml'), '- rule: R\n  actions: [{action: a, actionner: nope}]\n');
    const bad = await runRecorded(['rbac', '-r', path.join(folder, 'bad.yaml')], { env: {} }, folder);
    expect(bad).toMatchObject({ code: 1, out: '' });
    expect(bad.err).toContain('nope');
  });
});
