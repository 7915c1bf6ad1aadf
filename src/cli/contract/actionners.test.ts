import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Door } from '../../model/capability.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Actionner } from '../../model/definition.ts';
import { DOORS } from '../../model/doors.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { FailureCode, Outcome } from '../../model/outcome.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { alertWith, memoryRecord } from '../../runtime/plugins/executor-fixture.ts';
import type { StepRecord } from '../../runtime/plugins/step-record.ts';
import { eventTokens } from '../../runtime/plugins/tokens.ts';
import { catalog } from '../plugins/catalog.ts';
import { parameterRows } from '../plugins/plugin-parameters.ts';
import { ALL_FIELDS, HOSTILE } from './good-world.ts';
import { RETRY_AFTER, SandboxedPlugins, WORDS } from './sandboxed-plugins.ts';

const plugins = new SandboxedPlugins();
const actionners = [...catalog.actionners.values()].map((actionner) => [actionner.id, actionner] as const);

interface Given {
  readonly parameters?: ParameterMap | null;
  readonly event?: FalcoEvent;
  readonly record?: StepRecord;
  readonly milliseconds?: number;
  readonly signal?: AbortSignal;
}

function exampleOf(actionner: Actionner): ParameterMap | null {
  const [{ parameters = null }] = parse(actionner.example);
  return parameters;
}

function run(actionner: Actionner, given: Given = {}): Promise<Outcome> {
  const { event = alertWith(ALL_FIELDS), parameters = exampleOf(actionner) } = given;
  const { record = memoryRecord().record, milliseconds = 30_000, signal = new AbortController().signal } = given;
  return plugins.executor.run(
    {
      ...{ actionner, parameters, event, record, milliseconds },
      tokens: () => eventTokens(event, new Map()),
      payload: () => '{}',
      keeps: actionner.artifact !== 'none',
    },
    signal,
  );
}

/** The doors that a good run opens. Every actionner opens some. */
async function doorsOf(actionner: Actionner): Promise<readonly Door[]> {
  plugins.reset();
  await run(actionner);
  return plugins.opened;
}

describe.each(actionners)('%s', (_, actionner) => {
  it('succeeds: it says what it did and on what, opens its own doors, and makes an artifact where it should', async () => {
    plugins.reset();
    const outcome = await run(actionner);
    expect(outcome).toMatchObject({ status: 'success' });
    if (outcome.status !== 'success') return;
    expect(outcome.objects).toSatisfy((objects: object) =>
      Object.values(objects).every((each) => typeof each === 'string'),
    );
    expect(Object.keys(outcome.objects).length).toBeGreaterThan(0);
    expect(outcome.artifact !== undefined).toBe(actionner.artifact !== 'none');
    const { uses = [], opens } = actionner.behaviour ?? {};
    const decoded = decodeParameters(actionner.parameters, exampleOf(actionner));
    const allowed = decoded.ok && opens ? opens(decoded.value) : uses;
    expect([...allowed, 'pods.uid', 'objects.uid']).toEqual(expect.arrayContaining([...plugins.opened]));
    expect(uses).toEqual(expect.arrayContaining([...allowed]));
  });

  it('names the field that the alert lacks, and does nothing', async () => {
    for (const keys of actionner.requires) {
      const without = Object.entries(ALL_FIELDS).filter(([key]) => !(keys as readonly string[]).includes(key));
      plugins.reset();
      expect(await run(actionner, { event: alertWith(Object.fromEntries(without)) })).toMatchObject({
        status: 'failure',
        code: 'missing-field',
        error: expect.stringMatching(/^missing /),
      });
      expect(plugins.calls).toEqual([]);
    }
  });

  const WRONG = { string: 5, integer: 'many', boolean: 'perhaps', list: 'none', map: 'none' } as const;
  it.each(parameterRows(actionner.parameters))(
    'refuses a wrong `$name`, and names it',
    async ({ name, type, required }) => {
      const wrong = type.startsWith('list')
        ? WRONG.list
        : type.startsWith('map')
          ? WRONG.map
          : (WRONG[type as 'string'] ?? 5);
      const given = [
        { [name]: wrong },
        { [name]: [wrong, { deep: [] }] },
        ...(required ? [{ [name]: undefined }] : []),
      ];
      for (const each of given) {
        const parameters = { ...exampleOf(actionner), ...each } as ParameterMap;
        if (decodeParameters(actionner.parameters, parameters).ok) continue;
        plugins.reset();
        const outcome = await run(actionner, { parameters });
        expect(outcome).toMatchObject({ status: 'failure', code: 'refused', error: expect.stringContaining(name) });
        expect(plugins.calls).toEqual([]);
      }
      expect(
        given.some(
          (each) => !decodeParameters(actionner.parameters, { ...exampleOf(actionner), ...each } as ParameterMap).ok,
        ),
      ).toBe(true);
    },
  );

  const CODES = ['refused', 'conflict', 'busy', 'unreachable'] satisfies FailureCode[];
  it.each(CODES)('fails where the other side says `%s`, whichever door it is', async (fails) => {
    for (const door of await doorsOf(actionner)) {
      plugins.reset({ [door]: { fails } });
      const outcome = await run(actionner);
      // An actionner that does many things may count those that failed, and say so in its own words.
      const own = outcome.status === 'failure' && !outcome.error.includes(WORDS);
      const rest = fails === 'busy' && !own ? { retryAfterMs: RETRY_AFTER } : {};
      expect([door, outcome]).toMatchObject([door, { status: 'failure', code: own ? 'refused' : fails, ...rest }]);
    }
  });

  it('ends at its deadline and with the server, whichever door hangs', async () => {
    for (const door of await doorsOf(actionner)) {
      plugins.reset({ [door]: 'hangs' });
      expect([door, await run(actionner, { milliseconds: 50 })]).toMatchObject([door, { code: 'deadline' }]);
      const over = new AbortController();
      const ended = run(actionner, { signal: over.signal });
      await expect.poll(() => plugins.calls.some(([called]) => called === door)).toBe(true);
      over.abort(new Error('the server is stopped'));
      expect(await ended).toMatchObject({
        code: 'unreachable',
        error: 'given up before it was done: the server is stopped',
      });
    }
  });

  it('begun again with its record, makes no effect twice and says the same', async () => {
    plugins.reset();
    const first = memoryRecord();
    const outcome = await run(actionner, { record: first.record });
    plugins.reset();
    const again = await run(actionner, { record: memoryRecord(first.answered).record });
    expect(again).toEqual(outcome);
    expect(plugins.opened.filter((door) => DOORS[door].effect && !DOORS[door].fleeting)).toEqual([]);
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    'takes %s for data, in fields',
    async (_shown, text) => {
      for (const key of Object.keys(ALL_FIELDS)) {
        plugins.reset();
        const outcome = await run(actionner, { event: alertWith({ ...ALL_FIELDS, [key]: text }) });
        expectNoFault(outcome);
        for (const [door, target] of plugins.calls) {
          const { kind, name, namespace } = target as { kind: string; name: string; namespace?: string };
          if (kind === 'pod' || kind === 'object')
            expect([door, name + (namespace ?? '')]).toEqual([door, expect.stringMatching(/^[a-z0-9.-]*$/)]);
        }
      }
    },
  );

  it.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    'takes %s for data, in parameters',
    async (_shown, text) => {
      for (const { name, type } of parameterRows(actionner.parameters)) {
        if (type !== 'string') continue;
        plugins.reset();
        expectNoFault(await run(actionner, { parameters: { ...exampleOf(actionner), [name]: text } }));
      }
    },
  );
});

/** Whatever comes in: an end that was meant. */
function expectNoFault(outcome: Outcome): void {
  if (outcome.status !== 'failure') return;
  // What is larger than a message of the sandbox may be, says so.
  expect(['refused', 'not-found', 'missing-field', 'limit']).toContain(outcome.code);
  expect(outcome.error.length).toBeGreaterThan(0);
  expect(outcome.error.length).toBeLessThan(5_000);
}
