import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { evaluateCondition, parseCondition } from '../src/model/condition.ts';
import { decodeEvent } from '../src/model/decode-event.ts';
import type { FalcoEvent } from '../src/model/falco-event.ts';
import { BodyGenerator } from './fuzz/generate-body.ts';
import { ConditionGenerator } from './fuzz/generate-condition.ts';
import { Random } from './fuzz/random.ts';
import { referenceCondition } from './reference-cel.ts';

const EXPRESSIONS = 800;
const ALERTS = 5;

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

test('generated conditions hold for the alerts for which they hold in the reference implementation', () => {
  const random = new Random(20);
  const bodies = new BodyGenerator(random);
  let compared = 0;
  for (let index = 0; index < EXPRESSIONS; index++) {
    const alerts = random.many(() => bodies.body(), ALERTS, ALERTS).flatMap(alertIn);
    const generator = new ConditionGenerator(
      random,
      alerts.flatMap(({ output_fields }) => [...(output_fields ?? [])]),
    );
    const text = random.chance(0.4) ? generator.libraryTerm() : generator.condition();
    const reference = referenceCondition(text);
    for (const alert of alerts.filter((candidate) => !asksForNull(text, candidate))) {
      compared += 1;
      expect({ text, alert, holds: ours(text, alert) }).toEqual({ text, alert, holds: reference(alert) === true });
    }
  }
  expect(compared).toBeGreaterThan((EXPRESSIONS * ALERTS) / 2);
});

function alertIn(body: Uint8Array): FalcoEvent[] {
  const decoded = decodeEvent(body);
  return decoded.ok ? [decoded.event] : [];
}

/** Where the reference is known to be wrong: it takes a key with the value null for absent. */
function asksForNull(text: string, { output_fields }: FalcoEvent): boolean {
  return /in event\.output_fields|has\(/.test(text) && [...(output_fields?.values() ?? [])].includes(null);
}
