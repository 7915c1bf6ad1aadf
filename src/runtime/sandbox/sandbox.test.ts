import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Link, LinkEvents } from './link.ts';
import type { ToSandbox } from './messages.ts';
import { HEARTBEAT, Sandbox } from './sandbox.ts';

/** What stands in for a thread: notes what it is sent, and says what a test wants it to say. */
class FakeLink implements Link {
  readonly events: LinkEvents;
  readonly sent: ToSandbox[] = [];
  isKilled = false;
  thread = 0;

  constructor(events: LinkEvents) {
    this.events = events;
  }
  send(message: ToSandbox): void {
    this.sent.push(message);
  }
  kill(): void {
    this.isKilled = true;
  }
  current(): number {
    return this.thread;
  }
  started(): readonly string[] {
    return this.sent.flatMap((message) => (message.kind === 'start' ? [message.plugin] : []));
  }
  numberOf(plugin: string): number {
    return (
      this.sent.flatMap((message) =>
        message.kind === 'start' && message.plugin === plugin ? [message.step] : [],
      )[0] ?? 0
    );
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function newSandbox() {
  const links: FakeLink[] = [];
  const open = (events: LinkEvents) => {
    const link = new FakeLink(events);
    links.push(link);
    return link;
  };
  const degraded: string[] = [];
  const sandbox = new Sandbox(open, HEARTBEAT, (reason) => degraded.push(reason));
  return { sandbox, links, degraded, last: () => links.at(-1)! };
}

function newStep(plugin: string) {
  return {
    plugin,
    texts: { input: '{}', event: '{}' },
    begins: vi.fn(),
    called: vi.fn(),
    ended: vi.fn(),
    cut: vi.fn(),
  };
}

describe('a silent sandbox', () => {
  it('is replaced after a while; the step that had the thread ends and the others begin again', () => {
    const { sandbox, links, last } = newSandbox();
    const [guilty, innocent] = [newStep('guilty'), newStep('innocent')];
    sandbox.start(guilty);
    sandbox.start(innocent);
    const first = last();
    first.events.message({ kind: 'ready' });
    first.thread = first.numberOf('guilty');
    vi.advanceTimersByTime(HEARTBEAT.silence + 2 * HEARTBEAT.interval);
    expect(first.isKilled).toBe(true);
    expect(guilty.cut).toHaveBeenCalledExactlyOnceWith('limit', expect.stringMatching(/^it kept the sandbox busy for/));
    expect(innocent.cut).not.toHaveBeenCalled();
    expect(innocent.begins).toHaveBeenCalledTimes(2);
    links[1]?.events.message({ kind: 'ready' });
    expect(links[1]?.started()).toEqual(['innocent']);
  });

  it('is not the one that answers, and not while this thread was late itself', () => {
    const { sandbox, links, last } = newSandbox();
    sandbox.start(newStep('a'));
    last().events.message({ kind: 'ready' });
    for (let beat = 0; beat < 20; beat++) {
      vi.advanceTimersByTime(HEARTBEAT.interval);
      last().events.message({ kind: 'pong', number: 0 });
    }
    expect(links).toHaveLength(1);
    // Each beat comes late, as it does when something else holds this thread.
    for (let beat = 0; beat < 5; beat++) {
      const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5_000 * (beat + 1));
      vi.advanceTimersByTime(HEARTBEAT.interval);
      now.mockRestore();
    }
    expect(links).toHaveLength(1);
  });

  it('is nobody when nothing runs', () => {
    const { links, last } = newSandbox();
    last().events.message({ kind: 'ready' });
    vi.advanceTimersByTime(60_000);
    expect(last().sent).toEqual([]);
    expect(links).toHaveLength(1);
  });
});

describe('a plug-in for which it was replaced', () => {
  /** Two of a kind and another; one of the two hangs. */
  function hung() {
    const { sandbox, links, last } = newSandbox();
    const steps = { guilty: newStep('bad'), like: newStep('bad'), other: newStep('good') };
    for (const step of Object.values(steps)) sandbox.start(step);
    last().events.message({ kind: 'ready' });
    last().thread = last().numberOf('bad');
    vi.advanceTimersByTime(HEARTBEAT.silence + 2 * HEARTBEAT.interval);
    const [, replacement, isolation] = links;
    for (const link of [replacement, isolation]) link?.events.message({ kind: 'ready' });
    return { sandbox, links, steps, replacement: replacement!, isolation: isolation! };
  }

  it('goes on apart from the others', () => {
    const { sandbox, replacement, isolation } = hung();
    expect(replacement.started()).toEqual(['good']);
    expect(isolation.started()).toEqual(['bad']);
    sandbox.start(newStep('bad'));
    sandbox.start(newStep('new'));
    expect(replacement.started()).toEqual(['good', 'new']);
    expect(isolation.started()).toEqual(['bad', 'bad']);
  });

  it('ends the sandbox of its like alone when it hangs again', () => {
    const { links, steps, replacement, isolation } = hung();
    const beginnings = steps.other.begins.mock.calls.length;
    isolation.thread = isolation.numberOf('bad');
    for (let beat = 0; beat < 10; beat++) {
      vi.advanceTimersByTime(HEARTBEAT.interval);
      replacement.events.message({ kind: 'pong', number: 0 });
    }
    expect(steps.like.cut).toHaveBeenCalledExactlyOnceWith('limit', expect.any(String));
    expect([replacement.isKilled, isolation.isKilled]).toEqual([false, true]);
    expect(steps.other.begins).toHaveBeenCalledTimes(beginnings);
    expect(links).toHaveLength(4);
  });

  it('comes back after a while, and the sandbox for it goes', () => {
    const { sandbox, steps, replacement, isolation } = hung();
    const number = isolation.numberOf('bad');
    isolation.events.message({ kind: 'turn', step: number, calls: [], end: '{}' });
    expect(steps.like.ended).toHaveBeenCalledOnce();
    replacement.events.message({ kind: 'turn', step: replacement.numberOf('good'), calls: [], end: '{}' });
    vi.advanceTimersByTime(61_000);
    expect(isolation.isKilled).toBe(true);
    sandbox.start(newStep('bad'));
    expect(replacement.started()).toEqual(['good', 'bad']);
  });
});

describe('a sandbox that ends by itself', () => {
  it('is replaced, but not for ever for the same steps', () => {
    const { sandbox, links, last } = newSandbox();
    const step = newStep('a');
    sandbox.start(step);
    for (let crash = 0; crash < 6; crash++) {
      last().events.message({ kind: 'ready' });
      expect(step.cut).not.toHaveBeenCalled();
      last().events.ended('out of memory');
    }
    expect(links).toHaveLength(7);
    expect(step.cut).toHaveBeenCalledExactlyOnceWith('bug', 'the sandbox ended: out of memory');
  });

  it('before it was ready is tried again after a pause', async () => {
    const { sandbox, links, last } = newSandbox();
    const refused = expect(sandbox.ready()).rejects.toThrow('the sandbox for actionners did not start: no file');
    last().events.ended('no file');
    await refused;
    expect(links).toHaveLength(1);
    const step = newStep('a');
    sandbox.start(step);
    vi.advanceTimersByTime(1_000);
    expect(links).toHaveLength(2);
    last().events.message({ kind: 'ready' });
    expect(last().started()).toEqual(['a']);
  });
});

it('has no ear for steps that were given up, and none for a place that is gone', () => {
  const { sandbox, last } = newSandbox();
  const step = newStep('a');
  sandbox.start(step);
  const first = last();
  first.events.message({ kind: 'ready' });
  const place = step.begins.mock.calls[0]?.[0];
  first.events.ended('crash');
  last().events.message({ kind: 'ready' });
  place.answer(0, '{}');
  expect(first.sent.concat(last().sent).filter(({ kind }) => kind === 'answer')).toEqual([]);
  step.begins.mock.calls[1]?.[0].abort();
  expect(last().sent.at(-1)).toMatchObject({ kind: 'abort' });
  last().events.message({ kind: 'turn', step: last().numberOf('a'), calls: [], end: '{}' });
  expect(step.ended).not.toHaveBeenCalled();
});

it('says while it cannot be replaced, and when it is there again', async () => {
  const { links, degraded, last } = newSandbox();
  last().events.ended('no file');
  await vi.advanceTimersByTimeAsync(1_000);
  last().events.message({ kind: 'ready' });
  expect(degraded).toEqual(['']);
  last().events.ended('it crashed');
  last().events.ended('no memory');
  await vi.advanceTimersByTimeAsync(1_000);
  last().events.message({ kind: 'ready' });
  expect(degraded).toEqual(['', 'the sandbox for actionners did not start: no memory', '']);
  expect(links).toHaveLength(4);
});
