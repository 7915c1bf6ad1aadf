import pino from 'pino';
import type { LogRecord } from '../../model/log-record.ts';
import type { Telemetry } from '../../model/transition.ts';
import type { Counters } from '../../platform/telemetry/counters.ts';
import { createEventLine } from '../../platform/telemetry/event-line.ts';
import type { LineSink } from '../../platform/telemetry/line-sink.ts';
import {
  createLogClock,
  escapeJsonText,
  type LogClock,
  type LogFormat,
  logMembers,
  timedLogLine,
} from '../../platform/telemetry/log-line.ts';
import { transitionCount } from '../../platform/telemetry/transition-count.ts';
import { logTransition } from '../../platform/telemetry/transition-log.ts';
import type { Settings } from '../settings/settings.ts';

/** Writes one record as a line. */
export type Log = (record: LogRecord) => void;

/**
 * The log of everything that is not on the way of every alert. Lines in Falco Talon's JSON are written by pino, those for
 * people are made as they are.
 */
export function createLog(format: LogFormat, write: LineSink, time: LogClock): Log {
  if (format !== 'json') return (record) => write(timedLogLine(record, format, time()));
  const logger = pino(
    {
      base: null,
      timestamp: false,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    // What a terminal could act on is an escape in the lines of this program.
    { write: (line: string) => write(`${escapeJsonText(line.trimEnd())}\n`) },
  );
  return (record) => logger[record.level](Object.fromEntries(logMembers(record, time())), record.message);
}

export interface TelemetryOptions {
  readonly settings: Pick<Settings, 'logFormat'>;
  readonly log: Log;
  readonly write: LineSink;
  readonly counters: Counters;
}

/** Log line and counter of each transition, from the one record. */
export function createTelemetry({ settings, log, write, counters }: TelemetryOptions): Telemetry {
  const eventLine = createEventLine(settings.logFormat, createLogClock(Date.now));
  return {
    accepted: (rule, priority, source) => counters.addEvent(rule, priority, source),
    emit: (transition) => {
      if (transition.kind === 'event') write(eventLine(transition.alert));
      else if (transition.kind === 'match') write(eventLine(transition.alert, transition.rule));
      else {
        const record = logTransition(transition);
        if (record) log(record);
      }
      const count = transitionCount(transition);
      if (count) counters.add(...count);
    },
  };
}
