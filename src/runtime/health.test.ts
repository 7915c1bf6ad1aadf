import { describe, expect, it } from 'vitest';
import type { Transition } from '../model/transition.ts';
import { Health } from './health.ts';

function begin() {
  const told: Transition[] = [];
  const health = new Health((transition) => told.push(transition));
  return { health, told };
}

describe('Health', () => {
  it('is ready between start and stop only', () => {
    const { health } = begin();
    expect(health.status()).toEqual({ ready: false, text: 'starting', degraded: [] });
    health.set('ok');
    expect(health.status()).toEqual({ ready: true, text: 'ok', degraded: [] });
    health.set('stopping');
    expect(health.status()).toEqual({ ready: false, text: 'shutting down', degraded: [] });
  });

  it('stays ready whatever is degraded, and says so', () => {
    const { health } = begin();
    health.set('ok');
    health.degrade('rules', 'invalid rules');
    health.degrade('kubernetes', 'no answer');
    expect(health.status()).toEqual({
      ready: true,
      text: 'ok',
      degraded: ['rules: invalid rules', 'kubernetes: no answer'],
    });
    health.degrade('rules', '');
    expect(health.status().degraded).toEqual(['kubernetes: no answer']);
  });

  it('is not ready while nothing can be stored', () => {
    const { health } = begin();
    health.set('ok');
    health.storing(false, 'disk full');
    expect(health.status()).toEqual({
      ready: false,
      text: 'events cannot be stored',
      degraded: ['journal: disk full'],
    });
    health.set('stopping');
    expect(health.status()).toMatchObject({ ready: false, text: 'shutting down' });
    health.set('ok');
    health.storing(true, '');
    expect(health.status()).toEqual({ ready: true, text: 'ok', degraded: [] });
  });

  it('tells every change once', () => {
    const { health, told } = begin();
    health.degrade('rules', '');
    health.degrade('rules', 'a');
    health.degrade('rules', 'a');
    health.degrade('rules', 'b');
    health.storing(true, '');
    health.storing(false, '');
    health.degrade('rules', '');
    health.storing(true, '');
    expect(told).toEqual([
      { kind: 'degraded', part: 'rules', reason: 'a' },
      { kind: 'degraded', part: 'rules', reason: 'b' },
      { kind: 'degraded', part: 'journal', reason: 'events cannot be stored' },
      { kind: 'degraded', part: 'rules', reason: '' },
      { kind: 'degraded', part: 'journal', reason: '' },
    ]);
  });
});
