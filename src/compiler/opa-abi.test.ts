import { loadPolicy } from '@open-policy-agent/opa-wasm';
import { describe, expect, test } from 'vitest';
import { arrayBuffer } from '../../conformance-tests/matching-engines.ts';
import { ModuleDoors, terms } from '../../conformance-tests/module-doors.ts';
import { ruleWith } from '../../conformance-tests/rule-with.ts';
import type { PlannedAction } from '../model/rule.ts';
import { conditionBuiltins } from '../runtime/engine/condition-builtins.ts';
import { link } from './link.ts';

const ACTION: PlannedAction = {
  action: 'Label "it" é 🚀',
  description: 'line\nfeed',
  actionner: 'kubernetes:label',
  continue: true,
  ignore_errors: false,
  parameters: { labels: { a: 'b' }, n: 1.5 },
  additional_contexts: ['aws'],
  output: null,
  written: { continue: true },
};
const TRIED: PlannedAction = { ...ACTION, timeout: 90.5, retry: { attempts: 5, backoff: 0.5 }, on_interrupt: 'fail' };
const RULES = [
  ruleWith({ rules: ['A'] }, { rule: 'first "x"', description: 'd', actions: [ACTION, TRIED], notifiers: ['slack'] }),
  ruleWith(
    { output_fields: [terms('k=v')] },
    { rule: 'Zweite Regel ß', continue: false, written: { continue: false } },
  ),
];
const BOTH = '{"rule":"A","output_fields":{"k":"v"}}';

async function policy(rules = RULES) {
  return loadPolicy(arrayBuffer(link(rules, 'rev-1')));
}

function input(text: string): ArrayBuffer {
  return arrayBuffer(new TextEncoder().encode(text));
}

describe('in the unchanged opa-wasm', () => {
  test('talon/plan answers with all that the runtime needs, and is the default', async () => {
    const rules = RULES.map(({ match: _, ...planned }) => planned);
    expect((await policy()).evaluate(input(BOTH))).toEqual([{ result: { revision: 'rev-1', rules } }]);
    expect((await policy()).evaluate(input(BOTH), 'talon/plan')).toEqual([{ result: { revision: 'rev-1', rules } }]);
    expect((await policy()).evaluate(input('{}'), 'talon/plan')).toEqual([
      { result: { revision: 'rev-1', rules: [] } },
    ]);
  });

  test('talon/match answers with names', async () => {
    expect((await policy()).evaluate(input(BOTH), 'talon/match')).toEqual([
      { result: ['first "x"', 'Zweite Regel ß'] },
    ]);
    expect((await policy()).evaluate(input('{}'), 'talon/match')).toEqual([{ result: [] }]);
  });

  test('an alert may also be an object', async () => {
    expect((await policy()).evaluate(JSON.parse(BOTH), 'talon/match')).toEqual([
      { result: ['first "x"', 'Zweite Regel ß'] },
    ]);
  });

  test('what is no alert has an error and its place', async () => {
    const { evaluate } = await policy().then((loaded) => ({ evaluate: loaded.evaluate.bind(loaded) }));
    expect(evaluate(input('{"rule": nope}'))).toEqual([{ result: { error: 1, offset: 9 } }]);
    expect(evaluate(input('{"rule": 5}'), 'talon/match')).toEqual([{ result: { error: 2, offset: 9 } }]);
    expect(evaluate(undefined)).toEqual([{ result: { error: 5, offset: 0 } }]);
    expect(evaluate(input(BOTH), 7)).toEqual([{ result: { error: 6, offset: 0 } }]);
    expect(evaluate(input(BOTH), 'talon/match')).toHaveLength(1);
  });

  test('data is taken and has no influence', async () => {
    const loaded = await policy();
    loaded.setData({ rules: 'x'.repeat(100_000) });
    expect(loaded.evaluate(input(BOTH), 'talon/match')).toEqual([{ result: ['first "x"', 'Zweite Regel ß'] }]);
  });

  test('a policy larger than the memory that the host gives makes room for itself', async () => {
    const many = Array.from({ length: 5000 }, (_, n) =>
      ruleWith({ output_fields: [terms(`key-${n}=value ${n}`)] }, { rule: `r${n}` }),
    );
    const loaded = await policy(many);
    expect(loaded.evaluate(input('{"output_fields":{"key-4321":"value 4321"}}'), 'talon/match')).toEqual([
      { result: ['r4321'] },
    ]);
  });

  test('a memory that cannot grow is an error, not a trap, and the next alert is evaluated', async () => {
    const loaded = await loadPolicy(arrayBuffer(link(RULES, 'rev-1')), { initial: 5, maximum: 5 });
    const large = input(`{"rule":"A","output":"${'x'.repeat(200_000)}"}`);
    expect(loaded.evaluate(large, 'talon/match')).toEqual([{ result: { error: 4, offset: 0 } }]);
    expect(loaded.evaluate(input(BOTH), 'talon/match')).toEqual([{ result: ['first "x"', 'Zweite Regel ß'] }]);
  });

  test('a condition that finds no memory to ask the host with is an error, too', async () => {
    const rules = [ruleWith({ condition: 'event.rule.matches("A")' })];
    const memory = { initial: 5, maximum: 5 };
    const loaded = await loadPolicy(arrayBuffer(link(rules, '')), memory, conditionBuiltins(rules));
    const alert = (length: number) => input(`{"rule":"A","output":"${'x'.repeat(length)}"}`);
    expect(loaded.evaluate(alert(20_000), 'talon/match')).toEqual([{ result: ['r'] }]);
    expect(loaded.evaluate(alert(80_000), 'talon/match')).toEqual([{ result: { error: 4, offset: 0 } }]);
    expect(loaded.evaluate(alert(20_000), 'talon/match')).toEqual([{ result: ['r'] }]);
  });

  test('the memory stays where it is', async () => {
    const loaded = await policy();
    const memory = (loaded as unknown as { mem: WebAssembly.Memory }).mem;
    const before = memory.buffer.byteLength;
    for (let n = 0; n < 50_000; n++) loaded.evaluate(input(BOTH));
    expect(memory.buffer.byteLength).toBe(before);
  });

  test('answers of ten thousand rules fit', async () => {
    const many = Array.from({ length: 10_000 }, () => ruleWith({}, { actions: [ACTION] }));
    const doors = await ModuleDoors.open(many);
    expect(doors.matches(BOTH)).toHaveLength(10_000);
  });
});

describe('other hosts', () => {
  test('get Rego text for format 1', async () => {
    expect(await rawEval(0, 1, BOTH)).toMatch(
      /^\{\{"result":\{"revision":"rev-1","rules":\[\{"rule":"first .*\]\}\}\}$/,
    );
    expect(await rawEval(1, 1, BOTH)).toBe('{{"result":["first \\"x\\"","Zweite Regel ß"]}}');
    expect(await rawEval(1, 1, '{')).toBe('{{"result":{"error":1,"offset":1}}}');
  });

  test('of ABI 1.1 evaluate step by step', async () => {
    const loaded = await policy();
    (loaded as unknown as { minorVersion: number }).minorVersion = 1;
    expect(loaded.evaluate(JSON.parse(BOTH), 'talon/match')).toEqual([{ result: ['first "x"', 'Zweite Regel ß'] }]);
    expect(loaded.evaluate({ rule: 5 }, 'talon/match')).toEqual([{ result: { error: 2, offset: 8 } }]);
  });
});

/** Calls `opa_eval` as a host does, and reads the text it answers with. */
async function rawEval(entrypoint: number, format: number, alert: string): Promise<string> {
  const memory = new WebAssembly.Memory({ initial: 5 });
  const module = new WebAssembly.Module(link(RULES, 'rev-1'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory, opa_builtin1: () => 0 } });
  const { opa_eval, opa_heap_ptr_get } = exports as Record<string, (...args: number[]) => number>;
  const at = opa_heap_ptr_get?.() ?? 0;
  const { written } = new TextEncoder().encodeInto(alert, new Uint8Array(memory.buffer, at));
  const result = opa_eval?.(0, entrypoint, 0, at, written, at + written, format) ?? 0;
  const bytes = new Uint8Array(memory.buffer, result);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
