import { describe, expect, it } from 'vitest';
import type { ContextAnswer, ContextSources, NodeSource } from '../model/context-sources.ts';
import { DoorError } from '../model/door-error.ts';
import { Contexts } from './contexts.ts';
import { alertWith } from './plugins/executor-fixture.ts';

const { signal } = new AbortController();
const answer = (values: Record<string, string>, problems: readonly string[] = []): ContextAnswer => ({
  values: new Map(Object.entries(values)),
  problems,
});
const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });

/** Sources that count how often they were asked, on a clock that stands still. Pods are on the nodes that the map names. */
function contextsOf({ aws, facts, nodes = {} }: Replaced) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const contexts = new Contexts(
    {
      aws: async (given) => {
        asked.push('aws');
        return aws?.(given) ?? answer({ 'aws.region': 'eu-west-1' });
      },
      k8snode: {
        nodeOf: async ({ name }) => {
          asked.push(`pod ${name}`);
          return nodes[name] ?? 'n1';
        },
        facts: async (node, given) => {
          asked.push(`node ${node}`);
          return facts?.(node, given) ?? new Map([['node.hostname', node]]);
        },
      },
    },
    () => clock.now,
  );
  return { contexts, asked, clock };
}

interface Replaced {
  readonly aws?: ContextSources['aws'];
  readonly facts?: NodeSource['facts'];
  readonly nodes?: Record<string, string>;
}

const gone = () => Promise.reject(new DoorError('refused', "error getting node 'n1': gone"));

describe('additional contexts', () => {
  it('are all of those that the action names', async () => {
    const { contexts, asked } = contextsOf({});
    const found = await contexts.of(['aws', 'k8snode'], event, signal);
    expect(found).toEqual({
      values: new Map([
        ['aws.region', 'eu-west-1'],
        ['node.hostname', 'n1'],
      ]),
      problems: [],
    });
    expect(asked).toEqual(['aws', 'pod web', 'node n1']);
  });

  it('are kept for a minute, for each node apart', async () => {
    const { contexts, asked, clock } = contextsOf({ nodes: { db: 'n2' } });
    const nodesAsked = () => asked.filter((each) => each.startsWith('node'));
    await contexts.of(['k8snode'], event, signal);
    clock.now = 59_000;
    await contexts.of(['k8snode'], event, signal);
    await contexts.of(['k8snode'], alertWith({ 'k8s.pod.name': 'db', 'k8s.ns.name': 'shop' }), signal);
    expect(nodesAsked()).toEqual(['node n1', 'node n2']);
    clock.now = 61_000;
    await contexts.of(['k8snode'], event, signal);
    expect(nodesAsked()).toEqual(['node n1', 'node n2', 'node n1']);
  });

  it('are those of the node that the pod is on now', async () => {
    const nodes: Record<string, string> = {};
    const { contexts } = contextsOf({ nodes });
    const hostname = async () => (await contexts.of(['k8snode'], event, signal)).values.get('node.hostname');
    expect(await hostname()).toBe('n1');
    nodes.web = 'n2';
    expect(await hostname()).toBe('n2');
  });

  it('keep what could be had when a part cannot, and ask for it again after a moment', async () => {
    const { contexts, asked, clock } = contextsOf({ aws: async () => answer({ 'aws.region': 'r' }, ['no profile']) });
    const found = await contexts.of(['aws', 'k8snode'], event, signal);
    expect([...found.values.keys()]).toEqual(['aws.region', 'node.hostname']);
    expect(found.problems).toEqual([{ context: 'aws', error: 'no profile' }]);
    const asks = async () => {
      expect((await contexts.of(['aws'], event, signal)).problems).toEqual(found.problems);
      return asked.filter((each) => each === 'aws').length;
    };
    expect(await asks()).toBe(1);
    clock.now = 5_001;
    expect(await asks()).toBe(2);
  });

  it.each([
    ['a source that throws', { aws: () => Promise.reject(new Error('broken')) }, ['aws'], event, 'broken'],
    ['an unknown name', {}, ['gcp'], event, "unknown context 'gcp'"],
    ['a node that is gone', { facts: gone }, ['k8snode'], event, "error getting node 'n1': gone"],
  ] as const)('say what is wrong with %s', async (_, sources, names, alert, error) => {
    const { contexts } = contextsOf(sources);
    const found = await contexts.of(names, alert, signal);
    expect(found).toEqual({ values: new Map(), problems: [{ context: names[0], error }] });
  });

  it('end with the server', async () => {
    const { contexts } = contextsOf({ aws: () => new Promise(() => undefined) });
    const over = new AbortController();
    const found = contexts.of(['aws'], event, over.signal);
    over.abort(new Error('stopped'));
    await expect(found).rejects.toThrow('stopped');
  });
});
