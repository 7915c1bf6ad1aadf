import process from 'node:process';
import type { Log } from './server-log.ts';

/**
 * What no stage caught is a defect of ours, and becomes a log line. A promise that nobody waited for leaves the server as it
 * was, so it goes on; after an exception nothing is certain, so the process ends with 1 and whoever runs it starts it again.
 */
export function reportProcessFaults(log: Log): void {
  process.on('unhandledRejection', (reason) => {
    log({ level: 'error', message: 'recovered from panic while processing event', fields: { error: textOf(reason) } });
  });
  process.on('uncaughtException', (error) => {
    log({ level: 'fatal', message: 'panic', fields: { error: textOf(error) } });
    process.exit(1);
  });
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
