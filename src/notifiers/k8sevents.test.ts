import { describe, expect, it } from 'vitest';
import type { KubeEvent } from '../model/capability.ts';
import { sampleNotice } from '../model/sample-notice.ts';
import { ACTION, HOSTILE, hostileNotice, OUTPUT, sendWith } from '../runtime/plugins/notifier-fixture.ts';
import { k8sevents } from './k8sevents.ts';

async function eventOf(notice = ACTION, settings: object = {}): Promise<KubeEvent> {
  const calls = await sendWith(k8sevents, { ...settings }, notice);
  expect(calls).toHaveLength(1);
  expect(calls[0]?.[0]).toBe('events.create');
  return calls[0]?.[1] as KubeEvent;
}

describe('a Kubernetes event', () => {
  it('says what an action did', async () => {
    expect(await eventOf()).toEqual({
      type: 'Normal',
      reason: 'falco-talon:action:kubernetes:label:success',
      action: 'kubernetes:label',
      message:
        'Status: success\nMessage: action\nRule: Label on shell\nAction: Mark pod\nActionner: kubernetes:label\n' +
        'Event: A shell was spawned in a container (user=root shell=bash)\nNamespace: shop\nPod: cart-6f7d\n' +
        'Output: the pod "cart-6f7d" in the namespace "shop" has been labeled\nTraceID: 0af7651916cd43dd8448eb211c80319c\n',
    });
  });

  it('says what an output did', async () => {
    const event = await eventOf({ ...OUTPUT, status: 'failure', objects: {}, output: '', error: 'no such bucket' });
    expect(event).toEqual({
      type: 'Normal',
      reason: 'falco-talon:output:aws:s3:failure',
      action: 'aws:s3',
      message:
        'Status: failure\nMessage: output\nRule: Capture on shell\nAction: Capture\nActionner: kubernetes:tcpdump\n' +
        'Error: no such bucket\nOutputTarget: aws:s3\nTraceID: 0af7651916cd43dd8448eb211c80319c\n',
    });
  });

  it.each(['ignored', 'denied', 'parked'] as const)('says %s, and why', async (status) => {
    const { reason, message } = await eventOf(sampleNotice('action', status, ACTION.time));
    expect(reason).toBe(`falco-talon:action:kubernetes:label:${status}`);
    expect(message).toMatch(/\nResult: .+\nTraceID: /);
  });

  it('is a warning about a failure where that is wanted', async () => {
    const failed = sampleNotice('action', 'failure', ACTION.time);
    expect(await eventOf(failed)).toMatchObject({ type: 'Normal' });
    expect(await eventOf(failed, { warn_of_failures: true })).toMatchObject({ type: 'Warning' });
    expect(await eventOf(ACTION, { warn_of_failures: true })).toMatchObject({ type: 'Normal' });
  });

  it('has a reason and an action whatever the notice lacks', async () => {
    expect(await eventOf({ ...ACTION, actionner: '' })).toMatchObject({
      reason: 'falco-talon:action:action:success',
      action: 'action',
    });
  });

  it.each(HOSTILE)('has its limits and its trace id for any text: %.20s', async (text) => {
    const { message, reason, action } = await eventOf({ ...hostileNotice(text), actionner: text });
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(128);
    expect(Buffer.byteLength(action)).toBeLessThanOrEqual(128);
    expect(message).toMatch(/\nTraceID: 0af7651916cd43dd8448eb211c80319c\n$/);
    expect(message).toMatch(/^Status: failure\nMessage: action\n/);
    expect(message).not.toMatch(/'|\r|\0/);
    expect(message).not.toContain('\ufffd'.repeat(2));
    // Only what was done has lines of its own.
    expect(message.split('\nOutput: ')[0]).not.toMatch(/\nStatus: success/);
  });

  it('is cut between characters', async () => {
    for (const offset of [0, 1, 2, 3]) {
      const { message } = await eventOf({ ...ACTION, event: 'a'.repeat(offset) + '🦅'.repeat(500) });
      expect(message).toMatch(/🦅…\nTraceID: /);
      expect(encodeURIComponent(message)).toContain('TraceID');
      expect(Buffer.byteLength(message)).toBeGreaterThan(1_018);
    }
  });
});
