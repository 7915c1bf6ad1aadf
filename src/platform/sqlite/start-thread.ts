import { Worker } from 'node:worker_threads';
import { TalonError } from '../../model/talon-error.ts';
import type { WorkerStart } from '../../model/worker-start.ts';
import type { FromThread, ThreadOptions, ThreadStart } from './journal-thread.ts';

/** What the thread says first, when all is well. */
export type Opened = FromThread & { kind: 'opened' };

/** Rows are short-lived: the thread needs no more space for new objects, and would take it. */
const HEAP = { maxYoungGenerationSizeMb: 4 };

/**
 * Starts the thread of a journal, which opens the file.
 *
 * @param forget alerts that a thread before it may have written or not, and which were refused
 * @throws TalonError('journal') with what is wrong with the file and what to do
 */
export async function startThread(
  options: ThreadOptions & { readonly worker: WorkerStart },
  forget: readonly number[],
): Promise<{ worker: Worker; opened: Opened }> {
  const { worker: start, file, retentionHours, maxBytes } = options;
  const workerData: ThreadStart = { file, retentionHours, maxBytes, forget };
  const worker = new Worker(start.script, { eval: start.eval, workerData, resourceLimits: HEAP });
  const first = await firstMessage(worker, file);
  if (first.kind === 'opened') return { worker, opened: first };
  await worker.terminate();
  throw new TalonError('journal', first.kind === 'refused' ? first.message : `the journal ${file} did not open`);
}

function firstMessage(worker: Worker, file: string): Promise<FromThread> {
  const fault = (reason: string, cause?: unknown) =>
    new TalonError('journal', `the journal ${file} cannot be used: ${reason}`, { cause });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(fault(error.message, error)));
    worker.once('exit', () => reject(fault('its thread ended')));
  });
}
