import { describe, expect, test } from 'vitest';
import { catalog } from '../cli/plugins/catalog.ts';
import type { Actionner, Catalog } from '../model/definition.ts';
import { checkRules } from './check-rules.ts';
import { printRules } from './print-rules.ts';

const LABEL = 'actionner: kubernetes:label, parameters: {labels: {a: b}}';

function files(...texts: string[]) {
  return texts.map((text, index) => ({ path: `rules_${index}.yaml`, text }));
}

/** What the bundle carries for the only action of a rule with these settings, over those of action blocks. */
function settings(item: string, ...blocks: string[]) {
  const texts = blocks.map((block) => `- {action: A, ${block}}\n`);
  const rule = `- rule: r\n  match: {rules: [a]}\n  actions: [{action: A, ${LABEL}${item && `, ${item}`}}]\n`;
  const { rules, diagnostics } = checkRules(files(...texts, rule), { catalog });
  expect(diagnostics).toEqual([]);
  const { timeout, retry, on_interrupt } = rules?.[0]?.actions[0] ?? {};
  return { timeout, retry, on_interrupt };
}

describe('timeout, retry and on_interrupt', () => {
  test('come out as seconds, numbers and words', () => {
    expect(settings('timeout: 1m30s, retry: {attempts: 5, backoff: 500ms}, on_interrupt: retry')).toEqual({
      timeout: 90,
      retry: { attempts: 5, backoff: 0.5 },
      on_interrupt: 'retry',
    });
    expect(settings('timeout: 45, retry: {backoff: 0}, on_interrupt: fail')).toEqual({
      timeout: 45,
      retry: { backoff: 0 },
      on_interrupt: 'fail',
    });
  });

  test.each([
    '',
    'timeout: , retry: , on_interrupt:',
    'timeout: "", retry: {}, on_interrupt: ""',
    'retry: {attempts: }',
  ])('are not in the plan where they are not set: %j', (item) => {
    const text = `- rule: r\n  match: {rules: [a]}\n  actions: [{action: A, ${LABEL}${item && `, ${item}`}}]\n`;
    const { rules } = checkRules(files(text), { catalog });
    expect(Object.keys(rules?.[0]?.actions[0] ?? {})).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/timeout|retry|on_interrupt/)]),
    );
  });

  test('come from the action block where the action does not set them, `retry` key by key', () => {
    const block = 'timeout: 30s, retry: {attempts: 5, backoff: 1s}, on_interrupt: fail';
    expect(settings('', block)).toEqual({ timeout: 30, retry: { attempts: 5, backoff: 1 }, on_interrupt: 'fail' });
    expect(settings('timeout: 2m, retry: {attempts: 1}', block)).toEqual({
      timeout: 120,
      retry: { attempts: 1, backoff: 1 },
      on_interrupt: 'fail',
    });
    expect(settings('timeout: "", retry: {backoff: }, on_interrupt: retry', block)).toEqual({
      timeout: 30,
      retry: { attempts: 5, backoff: 1 },
      on_interrupt: 'retry',
    });
  });

  test('of a later action block replace those of an earlier one, where they are not empty', () => {
    expect(
      settings(
        '',
        'timeout: 30s, retry: {attempts: 5}, on_interrupt: fail',
        'retry: {attempts: 7, backoff: 2s}, on_interrupt: ""',
        'timeout: 40s, retry: {backoff: 3s}',
      ),
    ).toEqual({ timeout: 40, retry: { attempts: 7, backoff: 3 }, on_interrupt: 'fail' });
  });

  test('are printed as they are written, and printed rules mean the same', () => {
    const text = `- action: A
  actionner: kubernetes:label
  retry: {attempts: 3}
- rule: r
  actions:
    - {action: A, parameters: {labels: {a: b}}, timeout: 90, retry: {backoff: 500ms}, on_interrupt: fail}
`;
    const printed = printRules(files(text)).text ?? '';
    expect(printed).toContain(`      timeout: 90
      retry:
        attempts: 3
        backoff: 500ms
      on_interrupt: fail
`);
    expect(checkRules(files(printed), { catalog }).rules).toEqual(checkRules(files(text), { catalog }).rules);
  });

  test('wrong ones refuse the rules, and are none of the errors of Falco Talon', () => {
    const text = `- rule: r\n  actions: [{action: A, ${LABEL}, timeout: soon, retry: 3, on_interrupt: maybe}]\n`;
    const { rules, diagnostics, records } = checkRules(files(text), { catalog });
    expect(rules).toBeUndefined();
    expect(diagnostics.map(({ code }) => code)).toEqual(['T1404', 'T1405', 'T1406']);
    expect(records).toEqual([]);
  });
});

describe('a timeout', () => {
  /** An actionner that takes as long as its parameter says. */
  const terminate = catalog.actionners.get('kubernetes:terminate')!;
  const waiting: Actionner = {
    ...terminate,
    behaviour: {
      ...terminate.behaviour!,
      lasts: (parameters) => (parameters as { grace_period_seconds: number }).grace_period_seconds,
    },
  };
  const withWaiting: Catalog = {
    ...catalog,
    actionners: new Map([...catalog.actionners, [waiting.id, waiting]]),
  };
  const check = (seconds: number, timeout: string) =>
    checkRules(
      files(
        `- action: Wait\n  timeout: ${timeout}\n- rule: r\n  match: {rules: [a]}\n  actions:\n    - {action: Wait, actionner: kubernetes:terminate, parameters: {grace_period_seconds: ${seconds}}}\n`,
      ),
      { catalog: withWaiting },
    );

  test('shorter than what the action takes by its parameters is refused, with both named', () => {
    const { rules, diagnostics } = check(60, '69s');
    expect(rules).toBeUndefined();
    expect(diagnostics).toMatchObject([
      {
        code: 'T1407',
        message:
          'the `timeout` of 69 s is too short: `kubernetes:terminate` takes 60 s by its parameters, and needs 10 s more',
        hint: 'write `timeout: 70s` or more',
        place: { line: 2, column: 12 },
      },
    ]);
  });

  test.each([
    [60, '70s'],
    [60, '2m'],
    [0, '1s'],
  ])('of an action of %d s may be %s', (seconds, timeout) => {
    expect(check(seconds, timeout).diagnostics).toEqual([]);
  });
});
