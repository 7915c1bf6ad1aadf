import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Notifier } from '../../model/definition.ts';
import type { Notice, NoticeStatus } from '../../model/notice.ts';
import type { FailureCode, Outcome } from '../../model/outcome.ts';
import { parameterFacts } from '../../model/parameters.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { sampleNotice } from '../../model/sample-notice.ts';
import { catalog } from '../plugins/catalog.ts';
import { parameterRows } from '../plugins/plugin-parameters.ts';
import { HOSTILE } from './good-world.ts';
import { RETRY_AFTER, SandboxedPlugins, WORDS } from './sandboxed-plugins.ts';

const plugins = new SandboxedPlugins();
const notifiers = [...catalog.notifiers.values()].map((notifier) => [notifier.id, notifier] as const);
const STATUSES: readonly NoticeStatus[] = ['success', 'failure', 'ignored', 'denied', 'parked'];
const NOTICE = sampleNotice('action', 'success', '2026-03-01T10:00:00.000Z');

interface Given {
  readonly settings?: ParameterMap;
  readonly notice?: Notice;
  readonly signal?: AbortSignal;
}

function exampleOf(notifier: Notifier): ParameterMap {
  return parse(notifier.example).notifiers?.[notifier.id] ?? {};
}

function send(
  notifier: Notifier,
  { settings = exampleOf(notifier), notice = NOTICE, signal }: Given = {},
): Promise<Outcome> {
  const given = { notifier, settings, notice, first: true };
  return plugins.executor.send(given, signal ?? new AbortController().signal);
}

describe.each(notifiers)('%s', (_, notifier) => {
  it.each(STATUSES)('sends what ended with `%s`, of an action and of an output', async (status) => {
    for (const stage of ['action', 'output'] as const) {
      plugins.reset();
      const notice = sampleNotice(stage, status, '2026-03-01T10:00:00.000Z');
      expect(await send(notifier, { notice })).toMatchObject({ status: 'success' });
      expect(notifier.behaviour?.uses).toEqual(expect.arrayContaining([...plugins.opened]));
      expect(JSON.stringify(plugins.calls)).toMatch(new RegExp(notice.action.replace(' ', '[ _]'), 'i'));
    }
  });

  it('keeps its secrets out of what its code gets to see', async () => {
    const secrets = Object.entries(notifier.settings.shape).filter(([, field]) => parameterFacts(field).secret);
    const settings: Record<string, unknown> = { ...exampleOf(notifier) };
    for (const [name] of secrets) if (/password|key/.test(name)) settings[name] = 'hush-hush';
    plugins.reset();
    await send(notifier, { settings: settings as ParameterMap });
    // What the code says stands in all arguments but the target, which the main thread makes.
    const said = plugins.calls.map(([, , ...given]) => given);
    expect(JSON.stringify(said)).not.toContain('hush-hush');
  });

  it.each(parameterRows(notifier.settings).filter(({ required }) => required))(
    'refuses to send without `$name`, and says so',
    async ({ name }) => {
      for (const wrong of [undefined, '', null, ['x']]) {
        const settings = { ...exampleOf(notifier), [name]: wrong } as ParameterMap;
        expect(decodeParameters(notifier.settings, settings).ok).toBe(false);
        plugins.reset();
        expect(await send(notifier, { settings })).toMatchObject({ status: 'failure', code: 'refused' });
        expect(plugins.calls).toEqual([]);
      }
    },
  );

  const CODES = ['refused', 'conflict', 'busy', 'unreachable'] satisfies FailureCode[];
  it.each(CODES)('fails where the other side says `%s`', async (fails) => {
    for (const door of notifier.behaviour?.uses ?? []) {
      plugins.reset({ [door]: { fails } });
      const rest = fails === 'busy' ? { retryAfterMs: RETRY_AFTER } : {};
      expect(await send(notifier)).toMatchObject({ status: 'failure', code: fails, error: WORDS, ...rest });
    }
  });

  it('ends with the server, however long the other side takes', async () => {
    for (const door of notifier.behaviour?.uses ?? []) {
      plugins.reset({ [door]: 'hangs' });
      const over = new AbortController();
      const ended = send(notifier, { signal: over.signal });
      await expect.poll(() => plugins.calls.length).toBeGreaterThan(0);
      over.abort(new Error('the server is stopped'));
      expect(await ended).toMatchObject({ code: 'unreachable' });
    }
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    'sends %s as data',
    async (_shown, text) => {
      const hostile = text.slice(0, 8_000);
      for (const status of STATUSES) {
        plugins.reset();
        const texts = {
          rule: hostile,
          action: hostile,
          event: hostile,
          output: hostile,
          error: hostile,
          result: hostile,
        };
        const objects = { Pod: hostile, Namespace: hostile, File: hostile };
        const notice: Notice = { ...sampleNotice('action', status, NOTICE.time), ...texts, objects };
        expect([status, await send(notifier, { notice })]).toMatchObject([status, { status: 'success' }]);
        for (const [door, , given] of plugins.calls) {
          const { subject = '', headers = {} } = given as { subject?: string; headers?: Record<string, string> };
          expect([door, subject, ...Object.values(headers)].join()).not.toMatch(/[\r\n\0]/);
          const body = (given as { body?: string }).body?.split('\n')[0];
          if (body) expect(() => JSON.parse(body)).not.toThrow();
        }
      }
    },
  );
});
