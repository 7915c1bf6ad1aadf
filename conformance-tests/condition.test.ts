import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { link } from '../src/compiler/link.ts';
import { evaluateCondition, parseCondition } from '../src/model/condition.ts';
import { celNumber } from '../src/model/condition-event.ts';
import { decodeEvent } from '../src/model/decode-event.ts';
import type { FalcoEvent } from '../src/model/falco-event.ts';
import { JsonNumber, type JsonValue } from '../src/model/json-value.ts';
import { ANY_PRIORITY } from '../src/model/priority.ts';
import type { PolicyRule } from '../src/model/rule.ts';
import { createEvaluator } from '../src/runtime/engine/evaluate.ts';
import { BodyGenerator } from './fuzz/generate-body.ts';
import { ConditionGenerator } from './fuzz/generate-condition.ts';
import { Random } from './fuzz/random.ts';
import { referenceCondition } from './reference-cel.ts';

/** Each a test of its own: one for all would take a busy machine longer than a test may. */
const SEEDS = [20, 21, 22, 23, 24, 25, 26, 27];
const BATCHES = 5;
const EXPRESSIONS = 20;
const ALERTS = 10;

const ALERT = event(
  `{"rule":"Été 🚀 x","time":"2024-01-01T10:00:00.123456789Z","tags":["a","b"],"output_fields":{"cap":"É","hex":"0x10",
    "inf":"inf","l":["a",1],"n":null,"p":{"__proto__":1}}}`,
);

function event(body: string | Uint8Array): FalcoEvent {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}

function ours(text: string, alert: FalcoEvent): boolean | 'refused' {
  const parsed = parseCondition(text);
  return parsed.ok ? evaluateCondition(parsed.condition, alert) : 'refused';
}

describe('known differences from the reference implementation of CEL', () => {
  const known = z.array(
    z.strictObject({
      expression: z.string(),
      ours: z.union([z.boolean(), z.literal('refused')]),
      reference: z.union([z.boolean(), z.literal('error')]),
      reason: z.string(),
    }),
  );
  const file = readFileSync(path.join(import.meta.dirname, 'condition-differences.yaml'), 'utf8');
  test.each(known.parse(parseYaml(file)))('$expression: $reason', (difference) => {
    expect(ours(difference.expression, ALERT)).toBe(difference.ours);
    expect(referenceCondition(difference.expression)(ALERT)).toBe(difference.reference);
    expect(difference.ours).not.toBe(difference.reference);
  });
});

test.each(SEEDS)(
  'generated conditions (%i) hold for the alerts for which they hold in the reference implementation',
  (seed) => {
    const random = new Random(seed);
    let compared = 0;
    for (let batch = 0; batch < BATCHES; batch++) {
      const bodies = new BodyGenerator(random);
      const alerts = random.many(() => bodies.body(), ALERTS, ALERTS).filter((body) => decodeEvent(body).ok);
      const samples = alerts.flatMap((body) => [...(event(body).output_fields ?? [])]);
      const generator = new ConditionGenerator(random, samples);
      const generate = () => (random.chance(0.4) ? generator.libraryTerm() : generator.condition());
      compared += compareConditions(random.many(generate, EXPRESSIONS, EXPRESSIONS), alerts);
    }
    expect(compared).toBeGreaterThan((BATCHES * EXPRESSIONS * ALERTS) / 2);
  },
);

/** Compares the library and the policy module with the reference. The number of comparisons. */
function compareConditions(texts: readonly string[], alerts: readonly Uint8Array[]): number {
  const rules = texts.map(ruleOf);
  const module = createEvaluator(link(rules, 'generated'), rules);
  const references = texts.map(referenceCondition);
  let compared = 0;
  for (const body of alerts) {
    const alert = event(body);
    const matched = Array.from({ length: module.scan(body) }, (_, position) => module.matched(position));
    for (const [index, text] of texts.entries()) {
      if (isKnownFault(text, alert)) continue;
      const holds = references[index]?.(alert) === true;
      const found = { library: ours(text, alert), module: matched.includes(index) };
      expect({ text, alert, ...found }).toEqual({ text, alert, library: holds, module: holds });
      compared += 1;
    }
  }
  return compared;
}

function ruleOf(condition: string): PolicyRule {
  const match = { rules: [], priority: { text: '', accepts: ANY_PRIORITY }, source: '', tags: [], output_fields: [] };
  const flow = { continue: true, dry_run: false, notifiers: [], actions: [], written: {} };
  return { rule: condition, description: '', ...flow, match: { ...match, condition } };
}

/** Where the reference is known to be wrong: a key with the value null, the order of a large int and a double. */
function isKnownFault(text: string, { output_fields }: FalcoEvent): boolean {
  const values = [...(output_fields?.values() ?? [])];
  if (/in event\.output_fields|has\(/.test(text) && values.includes(null)) return true;
  return /[<>]/.test(text) && (/\d{16}/.test(text) || values.some(isLargeInt));
}

function isLargeInt(value: JsonValue): boolean {
  if (!(value instanceof JsonNumber)) return false;
  const number = celNumber(value);
  return typeof number === 'bigint' && !Number.isSafeInteger(Number(number));
}
