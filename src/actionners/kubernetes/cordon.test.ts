import { expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import type { PodRef } from '../../model/references.ts';
import { cordon } from './cordon.ts';

const POD: PodRef = { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' };
const NODE = { kind: 'node', ref: 1, name: 'node-1' } as const;

it('cordons the node of the pod, and names it', async () => {
  const calls: unknown[][] = [];
  const decoded = decodeEvent(Buffer.from('null'));
  if (!decoded.ok) throw new Error('the test is wrong');
  const result = await cordon.behaviour?.run({
    event: decoded.event,
    parameters: {},
    targets: { pod: POD },
    keeps: false,
    use: {
      'nodes.ofPod': async (...call) => {
        calls.push(['nodes.ofPod', ...call]);
        return NODE;
      },
      'nodes.cordon': async (...call) => void calls.push(['nodes.cordon', ...call]),
    },
    sleep: async () => {},
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
