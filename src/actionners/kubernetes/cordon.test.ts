import { expect, it } from 'vitest';
import { POD, runNoted } from '../../runtime/plugins/action-fixture.ts';
import { cordon } from './cordon.ts';

const NODE = { kind: 'node', ref: 1, name: 'node-1' } as const;

it('cordons the node of the pod, and names it', async () => {
  const { calls, result } = await runNoted(cordon, {
    answers: { 'nodes.ofPod': NODE, 'nodes.cordon': undefined },
  });
  expect(calls).toEqual([
    ['nodes.ofPod', POD],
    ['nodes.cordon', NODE],
  ]);
  expect(result).toEqual({
    status: 'success',
    output: "the node 'node-1' has been cordoned",
    objects: { node: 'node-1' },
  });
});
