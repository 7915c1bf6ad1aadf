import type { FalcoEvent } from './falco-event.ts';
import { goJsonString, jsonText } from './json-text.ts';
import type { JsonValue } from './json-value.ts';

const TIME = /^(.{10})T(\d\d?)(:\d\d:\d\d)(?:[.,](\d+))?(.+)$/;

/**
 * The alert as JSON, as Falco Talon hands it on, to functions for example: all keys present, in this order, keys inside
 * sorted, numbers as spelled. `context` is what Talon knows about the step, or null.
 */
export function eventJson(event: FalcoEvent, traceId: string, context: ReadonlyMap<string, string> | null): string {
  const members: readonly [string, JsonValue][] = [
    ['trace_id', traceId],
    ['output', event.output],
    ['priority', event.priority],
    ['rule', event.rule],
    ['hostname', event.hostname],
    ['time', eventTime(event.time)],
    ['source', event.source],
    ['output_fields', event.output_fields],
    ['context', context],
    ['tags', event.tags],
  ];
  return `{${members.map(([key, value]) => `"${key}":${jsonText(value, goJsonString)}`).join(',')}}`;
}

/**
 * The time of an alert in the one spelling that Go gives it: nine digits of fraction at most and none of them a trailing
 * zero, `Z` for UTC, the offset kept; year 1 for none.
 */
export function eventTime(time: string): string {
  const parts = TIME.exec(time);
  if (!parts) return '0001-01-01T00:00:00Z';
  const [, date, hour = '', rest, fraction = '', zone = ''] = parts;
  const digits = fraction.slice(0, 9).replace(/0+$/, '');
  return `${date}T${hour.padStart(2, '0')}${rest}${digits && `.${digits}`}${offsetText(zone)}`;
}

/** The offset of a time zone, in which an alert may write an hour as 60 minutes. */
function offsetText(zone: string): string {
  if (/^(?:Z|[+-]00:00)$/.test(zone)) return 'Z';
  if (!zone.endsWith(':60')) return zone;
  return `${zone[0]}${String(Number(zone.slice(1, 3)) + 1).padStart(2, '0')}:00`;
}
