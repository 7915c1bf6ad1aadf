import { describe, expect, it } from 'vitest';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { POD, runNoted } from '../../runtime/plugins/action-fixture.ts';
import { annotation } from './annotation.ts';

const NODE = { kind: 'node', ref: 1, name: 'node-1' } as const;

const runAnnotation = (parameters: ParameterMap) =>
  runNoted(annotation, {
    parameters,
    answers: { 'pods.annotate': undefined, 'nodes.annotate': undefined, 'nodes.ofPod': NODE },
  });

const annotatedPod = {
  status: 'success',
  output: "the pod 'web' in the namespace 'shop' has been annotated",
  objects: { pod: 'web', namespace: 'shop' },
};
const annotatedNode = {
  status: 'success',
  output: "the node 'node-1' has been annotationed",
  objects: { node: 'node-1' },
};

describe('kubernetes:annotation', () => {
  it.each<[string, ParameterMap, unknown[][], object]>([
    [
      'sets annotations',
      { annotations: { a: 'b', c: 'd' } },
      [['pods.annotate', POD, { a: 'b', c: 'd' }]],
      annotatedPod,
    ],
    ['says pod', { annotations: { a: 'b' }, level: 'pod' }, [['pods.annotate', POD, { a: 'b' }]], annotatedPod],
    ['removes', { annotations: { a: '', b: null } }, [['pods.annotate', POD, { a: null, b: null }]], annotatedPod],
    [
      'does both in one call',
      { annotations: { a: '', b: 'x' } },
      [['pods.annotate', POD, { a: null, b: 'x' }]],
      annotatedPod,
    ],
    [
      'takes unquoted values',
      { annotations: { a: true, b: 1 } },
      [['pods.annotate', POD, { a: 'true', b: '1' }]],
      annotatedPod,
    ],
    [
      'annotates the node',
      { annotations: { a: 'b', c: '' }, level: 'node' },
      [
        ['nodes.ofPod', POD],
        ['nodes.annotate', NODE, { a: 'b', c: null }],
      ],
      annotatedNode,
    ],
  ])('%s: %j', async (_, given, calls, result) => {
    expect(await runAnnotation(given)).toEqual({ calls, result });
  });

  it.each<[ParameterMap, string]>([
    [{}, "missing parameter 'annotations'"],
    [{ annotations: {} }, "parameter 'annotations' should have at least one annotation"],
    [{ annotations: { a: 'b' }, level: 'cluster' }, "parameter 'level' must be 'pod' or 'node'"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(annotation.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});
