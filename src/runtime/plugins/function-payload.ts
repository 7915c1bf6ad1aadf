import type { FalcoEvent } from '../../model/falco-event.ts';
import { goJsonString, jsonText } from '../../model/json-text.ts';
import type { JsonValue } from '../../model/json-value.ts';
import type { Context } from '../context.ts';

/** What stands for the time of an alert that has none. */
const NO_TIME = '0001-01-01T00:00:00Z';

/**
 * The alert and its context as JSON, as functions of clouds are called with them: all keys always there, in Falco Talon's
 * order, numbers as they were spelled.
 *
 * @param fields the output fields that are handed on, if not all; then the text of the alert, which may repeat the others, is not
 */
export function functionPayload(
  event: FalcoEvent,
  context: Context,
  traceId: string,
  fields?: readonly string[],
): string {
  const { priority, rule, hostname, time, source, tags } = event;
  const output = fields ? '' : event.output;
  const output_fields = fields && event.output_fields ? chosen(event.output_fields, fields) : event.output_fields;
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

function chosen<V>(all: ReadonlyMap<string, V>, fields: readonly string[]): ReadonlyMap<string, V> {
  return new Map([...all].filter(([key]) => fields.includes(key)));
}
