import { describe, expect, it } from 'vitest';
import type { ContextAnswer, ContextSources } from '../model/context-sources.ts';
import { Contexts } from './contexts.ts';
import { alertWith } from './executor-fixture.ts';

const { signal } = new AbortController();
const answer = (values: Record<string, string>, problems: readonly string[] = []): ContextAnswer => ({
  values: new Map(Object.entries(values)),
  problems,
});
const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });

/** Sources that count how often they were asked, on a clock that stands still. */
function contextsOf(sources: Partial<ContextSources>) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const contexts = new Contexts(
    {
      aws: async (given) => {
        asked.push('aws');
        return sources.aws?.(given) ?? answer({ 'aws.region': 'eu-west-1' });
      },
      k8snode: async (pod, given) => {
        asked.push(`k8snode ${pod.namespace}/${pod.name}`);
        return sources.k8snode?.(pod, given) ?? answer({ 'node.hostname': 'n1' });
      },
    },
    () => clock.now,
  );
  return { contexts, asked, clock };
}

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
    expect(asked).toEqual(['aws', 'k8snode shop/web']);
  });

  it('are kept for a minute, for each pod apart', async () => {
    const { contexts, asked, clock } = contextsOf({});
    await contexts.of(['k8snode'], event, signal);
    clock.now = 59_000;
    await contexts.of(['k8snode'], event, signal);
    await contexts.of(['k8snode'], alertWith({ 'k8s.pod.name': 'db', 'k8s.ns.name': 'shop' }), signal);
    clock.now = 61_000;
    await contexts.of(['k8snode'], event, signal);
    expect(asked).toEqual(['k8snode shop/web', 'k8snode shop/db', 'k8snode shop/web']);
  });

  it('keep what could be had when a part cannot, and ask for it again the next time', async () => {
    const { contexts, asked } = contextsOf({ aws: async () => answer({ 'aws.region': 'r' }, ['no profile']) });
    const found = await contexts.of(['aws', 'k8snode'], event, signal);
    expect([...found.values.keys()]).toEqual(['aws.region', 'node.hostname']);
    expect(found.problems).toEqual([{ context: 'aws', error: 'no profile' }]);
    await contexts.of(['aws'], event, signal);
    expect(asked.filter((each) => each === 'aws')).toHaveLength(2);
  });

  it.each([
    ['a source that throws', { aws: () => Promise.reject(new Error('broken')) }, ['aws'], event, 'broken'],
    ['an unknown name', {}, ['gcp'], event, "unknown context 'gcp'"],
    [
      'a pod whose name is none',
      {},
      ['k8snode'],
      alertWith({ 'k8s.pod.name': '../x', 'k8s.ns.name': 'shop' }),
      "the pod '../x' in the namespace 'shop' doesn't exist",
    ],
    ['no pod at all', {}, ['k8snode'], alertWith({}), "the pod '' in the namespace '' doesn't exist"],
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
