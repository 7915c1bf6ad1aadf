import { describe, expect, test } from 'vitest';
import { catalog } from '../../src/cli/plugins/catalog.ts';
import { compile } from '../../src/compiler/compile.ts';
import { decodeEvent } from '../../src/model/decode-event.ts';
import type { JsonObject } from '../../src/model/json-value.ts';
import { textForms } from '../../src/model/text-form.ts';
import { openRules } from '../../src/runtime/engine/open-bundle.ts';
import { type SenderRequest, senderRequests } from './sender-requests.ts';

/** A rule that asks for all that the alert of a request says. */
function ruleFor({ id, alert }: SenderRequest): object[] {
  if (!alert) return [];
  const fields = Object.entries(alert.output_fields ?? {}).filter(([, value]) => !/[",]/.test(value));
  const match = {
    rules: [alert.rule],
    priority: `=${alert.priority}`,
    source: alert.source,
    ...(alert.tags?.length && { tags: [alert.tags.join(', ')] }),
    ...(fields.length > 0 && { output_fields: [fields.map(([key, value]) => `${key}=${value}`).join(', ')] }),
  };
  return [{ rule: id, match, actions: [{ action: 'Terminate', actionner: 'kubernetes:terminate' }] }];
}

function engineForAll() {
  const text = JSON.stringify(senderRequests().flatMap(ruleFor));
  const { bundle, diagnostics } = compile([{ path: 'rules.yaml', text }], { catalog });
  if (!bundle) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return openRules(bundle);
}

const engine = engineForAll();

function comparedTexts(fields: JsonObject | null): Record<string, string | undefined> | null {
  return fields && Object.fromEntries([...fields].map(([key, value]) => [key, textForms(value)[0]]));
}

describe.each(senderRequests())('$id', ({ id, headers, body, status, alert }) => {
  const bytes = Buffer.from(body);

  test('is a request that its sender would send', () => {
    const names = headers.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(new Map(headers).get('Content-Length')).toBe(String(bytes.length));
  });

  test('is read as the alert that it is, or refused', () => {
    const decoded = decodeEvent(bytes);
    if (!decoded.ok) {
      expect({ status, alert }).toEqual({ status: 400, alert: undefined });
      return;
    }
    expect(status).toBe(200);
    const { output_fields, ...rest } = decoded.event;
    expect({ ...rest, output_fields: comparedTexts(output_fields) }).toEqual(alert);
  });

  test('is matched by a rule that asks for all that it says, or refused', () => {
    const answer = engine.evaluate(bytes);
    expect(answer.ok).toBe(status === 200);
    if (answer.ok) expect(answer.rules).toContain(id);
  });
});
