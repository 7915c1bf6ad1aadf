import type { FalcoEvent } from '../model/falco-event.ts';
import { goJsonString, jsonText } from '../model/json-text.ts';
import type { JsonValue } from '../model/json-value.ts';
import type { Context } from './context.ts';

/** What stands for the time of an alert that has none. */
const NO_TIME = '0001-01-01T00:00:00Z';

/**
 * The alert and its context as JSON, as functions of clouds are called with them: all keys always there, in Falco Talon's
 * order, numbers as they were spelled.
 */
export function functionPayload(event: FalcoEvent, context: Context, traceId: string): string {
  const { output, priority, rule, hostname, time, source, output_fields, tags } = event;
  const values: readonly (readonly [string, JsonValue])[] = [
    ['trace_id', traceId],
    ['output', output],
    ['priority', priority],
    ['rule', rule],
    ['hostname', hostname],
    ['time', time || NO_TIME],
    ['source', source],
    ['output_fields', output_fields],
    ['context', new Map(context)],
    ['tags', tags],
  ];
  return `{${values.map(([key, value]) => `"${key}":${jsonText(value, goJsonString)}`).join(',')}}`;
}
