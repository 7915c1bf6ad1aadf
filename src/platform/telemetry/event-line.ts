import type { AlertHead } from '../../model/transition.ts';
import { formatLogLine, type LogFormat, logTime, quoteJson, quoteWhereNeeded } from './log-line.ts';
import { logTransition } from './transition-log.ts';

/**
 * Makes the writer of `event` lines, the only ones that `print_all_events` pays for with every alert. The lines are those of
 * `formatLogLine`, in a third of its time. `color` is for people and does not hurry.
 *
 * @param now milliseconds since 1970
 */
export function createEventLine(format: LogFormat, now: () => number): (alert: AlertHead) => string {
  const time = createClock(now);
  if (format === 'text') return (alert) => textLine(alert, time());
  if (format === 'json') return (alert) => jsonLine(alert, time());
  return (alert) => {
    const record = logTransition({ kind: 'event', alert });
    return record ? formatLogLine(record, format, new Date(now())) : '';
  };
}

function textLine({ rule, output, priority, source, trace_id }: AlertHead, time: string): string {
  let line = `${time} INF event`;
  if (rule !== '') line += ` event=${quoteWhereNeeded(rule)}`;
  if (output !== '') line += ` output=${quoteWhereNeeded(output)}`;
  if (priority !== '') line += ` priority=${quoteWhereNeeded(priority)}`;
  if (source !== '') line += ` source=${quoteWhereNeeded(source)}`;
  return `${line} trace_id=${trace_id}\n`;
}

function jsonLine({ rule, output, priority, source, trace_id }: AlertHead, time: string): string {
  let line = '{"level":"info"';
  if (rule !== '') line += `,"event":${quoteJson(rule)}`;
  if (priority !== '') line += `,"priority":${quoteJson(priority)}`;
  if (source !== '') line += `,"source":${quoteJson(source)}`;
  if (output !== '') line += `,"output":${quoteJson(output)}`;
  return `${line},"trace_id":"${trace_id}","time":"${time}","message":"event"}\n`;
}

/** The time of log lines, made once a second. */
function createClock(now: () => number): () => string {
  let second = Number.NaN;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = logTime(new Date(current * 1000));
    }
    return text;
  };
}
