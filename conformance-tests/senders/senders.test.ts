import { describe, expect, test } from 'vitest';
import { decodeEvent } from '../../src/model/decode-event.ts';
import type { JsonObject } from '../../src/model/json-value.ts';
import { textForms } from '../../src/model/text-form.ts';
import { senderRequests } from './sender-requests.ts';

function comparedTexts(fields: JsonObject | null): Record<string, string | undefined> | null {
  return fields && Object.fromEntries([...fields].map(([key, value]) => [key, textForms(value)[0]]));
}

describe.each(senderRequests())('$id', ({ headers, body, status, alert }) => {
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
});
