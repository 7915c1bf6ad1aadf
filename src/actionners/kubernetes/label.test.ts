import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { PodRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { label } from './label.ts';

const POD: PodRef = { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' };
const NODE = { kind: 'node', ref: 1, name: 'node-1' } as const;

/** Runs the actionner on doors that note their calls. */
async function runLabel(given: ParameterMap) {
  const calls: unknown[][] = [];
  const decoded = decodeParameters(label.parameters, given);
  const decodedEvent = decodeEvent(Buffer.from('null'));
  if (!decoded.ok || !decodedEvent.ok) throw new Error('the test is wrong');
  const result = await label.behaviour?.run({
    event: decodedEvent.event,
    parameters: decoded.value,
    targets: { pod: POD },
    keeps: false,
    use: {
      'pods.label': async (...call) => void calls.push(['pods.label', ...call]),
      'nodes.label': async (...call) => void calls.push(['nodes.label', ...call]),
      'nodes.ofPod': async (...call) => {
        calls.push(['nodes.ofPod', ...call]);
        return NODE;
      },
    },
    sleep: async () => {},
  });
  return { calls, result };
}

const labeledPod = {
  status: 'success',
  output: "the pod 'web' in the namespace 'shop' has been labeled",
  objects: { pod: 'web', namespace: 'shop' },
};
const labeledNode = { status: 'success', output: "the node 'node-1' has been labeled", objects: { node: 'node-1' } };

describe('kubernetes:label', () => {
  it.each<[string, ParameterMap, unknown[][], object]>([
    ['sets labels', { labels: { a: 'b', c: 'd' } }, [['pods.label', POD, { a: 'b', c: 'd' }]], labeledPod],
    ['says pod', { labels: { a: 'b' }, level: 'pod' }, [['pods.label', POD, { a: 'b' }]], labeledPod],
    ['removes', { labels: { a: '', b: null } }, [['pods.label', POD, { a: null, b: null }]], labeledPod],
    ['does both in one call', { labels: { a: '', b: 'x' } }, [['pods.label', POD, { a: null, b: 'x' }]], labeledPod],
    ['takes unquoted values', { labels: { a: true, b: 1 } }, [['pods.label', POD, { a: 'true', b: '1' }]], labeledPod],
    [
      'labels the node',
      { labels: { a: 'b', c: '' }, level: 'node' },
      [
        ['nodes.ofPod', POD],
        ['nodes.label', NODE, { a: 'b', c: null }],
      ],
      labeledNode,
    ],
  ])('%s: %j', async (_, given, calls, result) => {
    expect(await runLabel(given)).toEqual({ calls, result });
  });

  it.each<[ParameterMap, string]>([
    [{}, "missing parameter 'labels'"],
    [{ labels: {} }, "parameter 'labels' should have at least one label"],
    [{ labels: { a: 'b' }, level: 'cluster' }, "parameter 'level' must be 'pod' or 'node'"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(label.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
