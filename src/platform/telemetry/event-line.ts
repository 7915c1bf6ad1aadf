import type { AlertHead } from '../../model/transition.ts';
import { type LogClock, type LogFormat, quoteJson, quoteWhereNeeded, timedLogLine } from './log-line.ts';
import { logTransition } from './transition-log.ts';

/** Makes the line that tells of an alert, or with the name of a rule, of a match. */
export type EventLine = (alert: AlertHead, matched?: string) => string;

/**
 * Makes the writer of the lines `event` and `match`, the only ones that there may be for every alert. The lines are those of
 * `formatLogLine`, in a third of its time. `color` is for people and does not hurry.
 */
export function createEventLine(format: LogFormat, time: LogClock): EventLine {
  if (format === 'text') return (alert, matched) => textLine(alert, matched, time());
  if (format === 'json') return (alert, matched) => jsonLine(alert, matched, time());
  return (alert, rule) => {
    const record = logTransition(rule === undefined ? { kind: 'event', alert } : { kind: 'match', alert, rule });
    return record ? timedLogLine(record, format, time()) : '';
  };
}

function textLine(
  { rule, output, priority, source, trace_id }: AlertHead,
  matched: string | undefined,
  time: string,
): string {
  let line = `${time} INF ${matched === undefined ? 'event' : 'match'}`;
  if (rule !== '') line += ` event=${quoteWhereNeeded(rule)}`;
  if (output !== '') line += ` output=${quoteWhereNeeded(output)}`;
  if (priority !== '') line += ` priority=${quoteWhereNeeded(priority)}`;
  if (matched) line += ` rule=${quoteWhereNeeded(matched)}`;
  if (source !== '') line += ` source=${quoteWhereNeeded(source)}`;
  return `${line} trace_id=${trace_id}\n`;
}

function jsonLine(
  { rule, output, priority, source, trace_id }: AlertHead,
  matched: string | undefined,
  time: string,
): string {
  let line = '{"level":"info"';
  if (matched) line += `,"rule":${quoteJson(matched)}`;
  if (rule !== '') line += `,"event":${quoteJson(rule)}`;
  if (priority !== '') line += `,"priority":${quoteJson(priority)}`;
  if (source !== '') line += `,"source":${quoteJson(source)}`;
  if (output !== '') line += `,"output":${quoteJson(output)}`;
  return `${line},"trace_id":"${trace_id}","time":"${time}","message":"${matched === undefined ? 'event' : 'match'}"}\n`;
}
