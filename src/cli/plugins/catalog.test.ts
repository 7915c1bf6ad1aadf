import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeParameters, unknownParameters } from '../../model/decode-parameters.ts';
import type { Actionner } from '../../model/definition.ts';
import { DOORS, grants } from '../../model/doors.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import type { Grant, KubeGrant } from '../../model/grant.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { catalog } from './catalog.ts';
import { parameterRows } from './plugin-parameters.ts';

const actionners = [...catalog.actionners.values()];
const outputs = [...catalog.outputs.values()];
const notifiers = [...catalog.notifiers.values()];
const SOURCE = path.resolve(import.meta.dirname, '../..');

/** The files of plug-ins below a folder, as the ids that they should have. */
function idsOnDisk(folder: string): string[] {
  return readdirSync(path.join(SOURCE, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) =>
      /\bdefine(Actionner|Output|Notifier)\(/.test(readFileSync(path.join(SOURCE, folder, file), 'utf8')),
    )
    .map((file) => file.slice(0, -'.ts'.length).replaceAll(path.sep, ':'))
    .sort();
}

function kubePrice(price: readonly Grant[]): readonly KubeGrant[] {
  return price.flatMap((grant) => ('verbs' in grant ? grant : []));
}

interface ExampleAction {
  readonly action: string;
  readonly actionner: string;
  readonly parameters?: ParameterMap;
  readonly output?: { readonly target: string; readonly parameters: ParameterMap };
}

function onlyAction(example: string): ExampleAction {
  const actions: ExampleAction[] = parse(example);
  expect(actions).toHaveLength(1);
  const [action] = actions;
  expect(action?.action).toMatch(/\S/);
  return action!;
}

function expectValid(schema: Parameters<typeof decodeParameters>[0], given: ParameterMap | undefined): void {
  expect(decodeParameters(schema, given ?? null)).toMatchObject({ ok: true });
  expect(unknownParameters(schema, given ?? {})).toEqual([]);
}

describe('the catalog', () => {
  it('has every file of the plug-in folders, under the id that its path says', () => {
    expect([...catalog.actionners.keys()].sort()).toEqual(idsOnDisk('actionners'));
    expect([...catalog.outputs.keys()].sort()).toEqual(idsOnDisk('outputs'));
    expect([...catalog.notifiers.keys()].sort()).toEqual(idsOnDisk('notifiers'));
  });

  const TALONS = [
    ...['terminate', 'label', 'annotation', 'networkpolicy', 'exec', 'script', 'log', 'delete', 'cordon', 'drain'].map(
      (name) => `kubernetes:${name}`,
    ),
    ...['kubernetes:download', 'kubernetes:tcpdump', 'kubernetes:sysdig', 'aws:lambda', 'gcp:function'],
    ...['calico:networkpolicy', 'cilium:networkpolicy'],
  ];
  const talons = actionners.filter(({ id }) => TALONS.includes(id));

  it("has Falco Talon's in its order, and behind them all others, sorted", () => {
    const behind = <P>(all: ReadonlyMap<string, P>, first: readonly string[]) => {
      const ids = [...all.keys()];
      expect(ids.slice(0, first.length)).toEqual(first);
      const rest = ids.slice(first.length);
      expect(rest).toEqual([...rest].sort());
    };
    behind(catalog.actionners, TALONS);
    behind(catalog.outputs, ['local:file', 'minio:s3', 'aws:s3', 'gcp:gcs']);
    behind(catalog.notifiers, ['k8sevents', 'slack', 'smtp', 'webhook', 'loki', 'elasticsearch']);
  });

  // Falco Talon's traits, where its documentation wins: tcpdump goes on; five actionners use contexts.
  it('goes on after an action, but for three', () => {
    const ending = talons.filter((actionner) => !actionner.continue).map(({ id }) => id);
    expect(ending).toEqual(['kubernetes:terminate', 'kubernetes:delete', 'kubernetes:sysdig']);
  });
  it('fetches contexts for five', () => {
    const using = talons.filter(({ usesContext }) => usesContext).map(({ id }) => id);
    expect(using).toEqual([
      ...['kubernetes:exec', 'kubernetes:script', 'kubernetes:download', 'aws:lambda', 'gcp:function'],
    ]);
  });
  it('makes artifacts in four', () => {
    const making = talons.filter(({ artifact }) => artifact !== 'none').map(({ id, artifact }) => [id, artifact]);
    expect(making).toEqual([
      ['kubernetes:log', 'optional'],
      ['kubernetes:download', 'required'],
      ['kubernetes:tcpdump', 'required'],
      ['kubernetes:sysdig', 'required'],
    ]);
  });

  it('takes over two listed defaults that Falco Talon does not apply, and no others', () => {
    const defaultOf = (id: string, name: string) =>
      parameterRows(catalog.actionners.get(id)!.parameters).find((row) => row.name === name)?.default;
    expect(defaultOf('kubernetes:tcpdump', 'snaplen')).toBe(4096);
    expect(defaultOf('gcp:function', 'gcp_function_location')).toBe('us-central1');
    expect(defaultOf('kubernetes:networkpolicy', 'allow_cidr')).toEqual([]);
    expect(defaultOf('kubernetes:terminate', 'ignore_standalone_pods')).toBe(false);
  });
});

describe.each(actionners.map((actionner) => [actionner.id, actionner] as const))('%s', (id, actionner) => {
  it('has an example that is valid', () => {
    const action = onlyAction(actionner.example);
    expect(action.actionner).toBe(id);
    expectValid(actionner.parameters, action.parameters);
    expect(action.output !== undefined).toBe(actionner.artifact !== 'none');
    const output = catalog.outputs.get(action.output?.target ?? '');
    if (action.output) expectValid(output!.parameters, action.output.parameters);
  });

  it('requires fields that are known', () => {
    for (const keys of actionner.requires) expect(Object.values(FIELD_KEYS)).toContain(keys);
    expect(new Set(actionner.requires).size).toBe(actionner.requires.length);
  });

  it('uses doors that exist, and pays for each', () => {
    const uses = actionner.behaviour?.uses ?? [];
    for (const door of uses) {
      expect(DOORS).toHaveProperty([door]);
      for (const { group, resource, verbs } of kubePrice(DOORS[door].price)) {
        const grant = grants(uses).find((granted) => granted.group === group && granted.resource === resource);
        expect(grant?.verbs).toEqual(expect.arrayContaining([...verbs]));
      }
    }
  });

  it('uses its doors in its code, and no others', () => {
    const [category, name] = id.split(':');
    const code = readFileSync(path.join(SOURCE, 'actionners', `${category}/${name}.ts`), 'utf8');
    const used = [...code.matchAll(/\buse\['([^']+)'\]/g)].map((match) => match[1]);
    expect([...new Set(used)].sort()).toEqual([...(actionner.behaviour?.uses ?? [])].sort());
  });
});

/** Decoded parameters of an actionner: those of its example, with each word of each choice. */
function variants({ parameters, example }: Actionner): unknown[] {
  const given = onlyAction(example).parameters ?? {};
  const words = parameterRows(parameters)
    .filter(({ type }) => type.includes(' or '))
    .flatMap(({ name, type }) => type.split(' or ').map((word) => ({ ...given, [name]: word })));
  return [given, ...words].flatMap((each) => {
    const decoded = decodeParameters(parameters, each);
    return decoded.ok ? [decoded.value] : [];
  });
}

const acting = actionners.flatMap((actionner) =>
  actionner.behaviour ? [[actionner.id, actionner, actionner.behaviour] as const] : [],
);

describe.each(acting)('%s', (_, actionner, behaviour) => {
  it('has a deadline, above what its example takes', () => {
    expect(behaviour.deadline).toBeGreaterThan(0);
    for (const parameters of variants(actionner)) {
      expect(behaviour.lasts?.(parameters as never) ?? 0).toBeLessThan(behaviour.deadline);
    }
  });

  it('says of all parameters what it writes, and writes nothing else', () => {
    // What is changed elsewhere is no object of the cluster.
    const effects = behaviour.uses.filter((door) => DOORS[door].effect && DOORS[door].api === 'kubernetes');
    expect(variants(actionner).length).toBeGreaterThan(0);
    for (const parameters of variants(actionner)) {
      const written = behaviour.writes(parameters as never);
      expect(['pod', 'owner', 'node', 'object']).toEqual(expect.arrayContaining([...written]));
      expect(new Set(written).size).toBe(written.length);
      expect(written.length > 0).toBe(effects.length > 0);
    }
  });
});

const WRITING = ['create', 'update', 'patch', 'delete'];
/** What is only tried (`dryRun`) needs the right to do it, and does nothing. */
const TRIED = ['objects.uid'];

describe.each(Object.entries(DOORS))('the door %s', (door, { api, price, effect }) => {
  it('has an effect exactly where its price has a right to write', () => {
    expect(price.length).toBeGreaterThan(0);
    const kube = kubePrice(price);
    expect(kube.length > 0).toBe(api === 'kubernetes');
    for (const { resource, verbs } of kube) {
      expect(resource).toMatch(/^[a-z]+(\/[a-z]+)?$/);
      expect(verbs.length).toBeGreaterThan(0);
      expect(verbs.join()).not.toMatch(/\*/);
    }
    const writes = kube.some(({ verbs }) => verbs.some((verb) => WRITING.includes(verb)));
    if (kube.length > 0) expect(writes).toBe(effect || TRIED.includes(door));
  });
});

describe.each(outputs.map((output) => [output.id, output] as const))('%s', (id, output) => {
  it('has an example that is valid', () => {
    const action = onlyAction(output.example);
    expect(action.output?.target).toBe(id);
    expectValid(output.parameters, action.output?.parameters);
    const actionner = catalog.actionners.get(action.actionner);
    expect(actionner?.artifact).not.toBe('none');
    expectValid(actionner!.parameters, action.parameters);
  });
});

describe.each(notifiers.map((notifier) => [notifier.id, notifier] as const))('%s', (id, notifier) => {
  it('has an example that is valid', () => {
    const config: { notifiers?: Record<string, ParameterMap>; default_notifiers?: string[] } = parse(notifier.example);
    expect(Object.keys(config.notifiers ?? {}).concat(config.default_notifiers ?? [])).toEqual([id]);
    expectValid(notifier.settings, config.notifiers?.[id]);
  });
});

/** Every plug-in with the parameters of its example. */
const withExamples = [
  ...actionners.map(({ id, description, parameters, example }) => {
    return { id, description, parameters, given: onlyAction(example).parameters ?? {} };
  }),
  ...outputs.map(({ id, description, parameters, example }) => {
    return { id, description, parameters, given: onlyAction(example).output?.parameters ?? {} };
  }),
  ...notifiers.map(({ id, description, settings, example }) => {
    return { id, description, parameters: settings, given: (parse(example).notifiers?.[id] ?? {}) as ParameterMap };
  }),
];

/** The default of these stands for an empty text where it is used, which tests beside the plug-in show. */
const PUT_LATER = ['aws_lambda_alias_or_version'];

describe.each(withExamples)('the parameters of $id', ({ description, parameters, given }) => {
  const rows = parameterRows(parameters);

  it('are described, named in snake_case and have a type for people', () => {
    expect(description).toMatch(/^[A-Z]/);
    for (const row of rows) {
      expect(row.description, row.name).toMatch(/\S/);
      expect(row.name).toMatch(/^[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(row.type).toMatch(/^(string|integer|boolean|(list|map) of string|[A-Za-z0-9:_]+( or [A-Za-z0-9:_]+)+)$/);
    }
  });

  it('mean the same when the default is written as when they are left out', () => {
    for (const row of rows.filter((each) => !each.required && typeof each.default !== 'object')) {
      const { [row.name]: _, ...others } = given;
      const written = PUT_LATER.includes(row.name) ? '' : row.default;
      expect(decodeParameters(parameters, { ...others, [row.name]: written }), row.name).toEqual(
        decodeParameters(parameters, others),
      );
    }
  });

  it('are missed when they are required, and only then', () => {
    for (const row of rows) {
      const { [row.name]: _, ...others } = given;
      const named = decodeParameters(parameters, others);
      const missed = !named.ok && named.problems.some(({ path: [name] }) => name === row.name);
      expect(missed, row.name).toBe(row.required);
    }
  });
});
