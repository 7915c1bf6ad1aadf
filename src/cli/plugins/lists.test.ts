import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { actionnersList } from './actionners-list.ts';
import { catalog } from './catalog.ts';
import { notifiersList } from './notifiers-list.ts';
import { outputsList } from './outputs-list.ts';
import { permissionsText } from './permissions-text.ts';

/** The entries of a list as Falco Talon prints it: heading, empty line, YAML, empty line. */
function entriesOf(text: string): [id: string, entry: Record<string, unknown>][] {
  return text
    .split(/^--- (.*) ---\n\n/m)
    .slice(1)
    .flatMap((part, index, parts) => (index % 2 === 0 ? [[part, parts[index + 1] ?? ''] as const] : []))
    .map(([id, yaml]) => {
      expect(yaml).toMatch(/[^\n]\n\n$/);
      return [id, parse(yaml)];
    });
}

describe('actionners list', () => {
  const entries = entriesOf(actionnersList('text'));
  const entryOf = (wanted: string) => entries.find(([id]) => id === wanted)?.[1];

  it("has every actionner, in Falco Talon's order", () => {
    expect(entries.map(([id]) => id)).toEqual([...catalog.actionners.keys()]);
  });

  it("has Falco Talon's keys, in its order; permissions where it can act", () => {
    const keys = [
      ...['parameters', 'name', 'category', 'description', 'source', 'permissions', 'example'],
      ...['required_output_fields', 'continue', 'use_context', 'allow_output', 'require_output'],
    ];
    for (const [id, entry] of entries) {
      const acts = permissionsText(catalog.actionners.get(id)?.behaviour?.uses ?? []) !== undefined;
      expect(Object.keys(entry)).toEqual(acts ? keys : keys.filter((key) => key !== 'permissions'));
      expect(`${entry.category}:${entry.name}`).toBe(id);
    }
  });

  it('marks required parameters, and gives the others the default that is in effect', () => {
    expect(entryOf('kubernetes:label')?.parameters).toEqual({ 'labels (required)': {}, level: 'pod' });
    expect(entryOf('kubernetes:exec')?.parameters).toEqual({ 'command (required)': '', shell: '/bin/sh' });
    expect(entryOf('kubernetes:cordon')?.parameters).toEqual({});
    expect(entryOf('kubernetes:terminate')?.parameters).toEqual({
      evict: false,
      grace_period_seconds: 0,
      ignore_daemonsets: false,
      ignore_standalone_pods: false,
      ignore_statefulsets: false,
      min_healthy_replicas: '',
    });
    expect(entryOf('calico:networkpolicy')?.parameters).toEqual({
      allow_cidr: ['0.0.0.0/0'],
      allow_namespaces: [],
      order: 0,
    });
  });

  it('has the rights of the doors', () => {
    expect(parse(String(entryOf('kubernetes:label')?.permissions))).toEqual({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'falco-talon' },
      rules: [
        { apiGroups: [''], resources: ['nodes'], verbs: ['patch'] },
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'patch'] },
      ],
    });
  });

  it('tells which output is possible and which is needed', () => {
    const traits = (id: string) => [entryOf(id)?.allow_output, entryOf(id)?.require_output];
    expect(traits('kubernetes:log')).toEqual([true, false]);
    expect(traits('kubernetes:download')).toEqual([false, true]);
    expect(traits('kubernetes:label')).toEqual([false, false]);
  });

  it('says the same as JSON', () => {
    const listed: { id: string; example: string; required_output_fields: unknown; doors?: string[] }[] = JSON.parse(
      actionnersList('json'),
    );
    expect(listed.map(({ id }) => id)).toEqual([...catalog.actionners.keys()]);
    for (const { id, example, doors, required_output_fields } of listed) {
      const actionner = catalog.actionners.get(id);
      expect({ example, doors, required_output_fields }).toEqual({
        example: actionner?.example,
        doors: actionner?.behaviour?.uses,
        required_output_fields: actionner?.requires,
      });
    }
  });
});

describe('outputs list', () => {
  const entries = entriesOf(outputsList('text'));

  it("has Falco Talon's order and keys", () => {
    expect(entries.map(([id]) => id)).toEqual([...catalog.outputs.keys()]);
    for (const [id, entry] of entries) {
      const permissions = /^(aws|gcp):/.test(id) ? ['permissions'] : [];
      expect(Object.keys(entry)).toEqual(['name', 'category', 'description', 'parameters', ...permissions, 'example']);
    }
  });
  it('marks required parameters', () => {
    expect(entries.find(([id]) => id === 'aws:s3')?.[1].parameters).toEqual({
      'bucket (required)': '',
      encryption: 'default',
      keep_existing: false,
      kms_key_id: '',
      lock_days: 0,
      lock_mode: 'none',
      prefix: '',
      region: '',
    });
  });
  it('says the same as JSON', () => {
    const listed: { id: string }[] = JSON.parse(outputsList('json'));
    expect(listed.map(({ id }) => id)).toEqual([...catalog.outputs.keys()]);
  });
});

describe('notifiers list', () => {
  const entries = entriesOf(notifiersList('text'));

  it("has Falco Talon's order and keys; rights where one is needed", () => {
    expect(entries.map(([id]) => id)).toEqual([...catalog.notifiers.keys()]);
    const [k8sevents, ...others] = entries.map(([, entry]) => Object.keys(entry));
    expect(k8sevents).toEqual(['name', 'description', 'parameters', 'permissions', 'example']);
    for (const keys of others) expect(keys).toEqual(['name', 'description', 'parameters', 'example']);
  });
  it('shows every setting with its default', () => {
    expect(entries.find(([id]) => id === 'smtp')?.[1].parameters).toEqual({
      allow_plain_auth: false,
      format: 'html',
      'from (required)': '',
      'host_port (required)': '',
      implicit_tls: false,
      password: '',
      tls: false,
      'to (required)': '',
      user: '',
    });
  });
  it('says the same as JSON', () => {
    const listed: { id: string }[] = JSON.parse(notifiersList('json'));
    expect(listed.map(({ id }) => id)).toEqual([...catalog.notifiers.keys()]);
  });
});
