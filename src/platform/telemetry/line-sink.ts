import { writeSync } from 'node:fs';

/** Takes whole lines. Never throws. */
export type LineSink = (line: string) => void;

/** Pause while a pipe is full, and how long to wait in all before the line is given up. */
const PAUSE_MS = 2;
const PATIENCE_MS = 1_000;

/** A sink, and what writes at once the lines that it still has. */
export interface BufferedSink {
  readonly write: LineSink;
  readonly flush: () => void;
}

/** What follows it runs as soon as what runs now is over; `queueMicrotask` takes several times as long. */
const NOW = Promise.resolve();

/** UTF-16 units of lines that are kept at most before they are written. */
const MOST_KEPT = 64 * 1024;

/**
 * Writes lines to a file descriptor. Those of one turn of the event loop are written together when its microtasks are done, so
 * before anything else can happen to the process but a signal that kills it: a write for each would take more time than all
 * else that a line costs. Who ends the process by itself calls `flush`.
 *
 * A reader that does not keep up holds the writer back. What cannot be written (disk full, reader gone) is dropped and told to
 * `onLost`, with the number of lines, because an alert that cannot be logged must still be acted on.
 */
export function createLineSink(descriptor: number, onLost: (lines: number) => void): BufferedSink {
  let kept = '';
  const flush = () => {
    if (kept === '') return;
    const lines = kept;
    kept = '';
    const lost = writeLines(descriptor, lines);
    if (lost > 0) onLost(lost);
  };
  return {
    flush,
    write: (line) => {
      if (kept === '') void NOW.then(flush);
      kept += line;
      if (kept.length >= MOST_KEPT) flush();
    },
  };
}

/** @returns how many lines could not be written, or not whole */
function writeLines(descriptor: number, text: string): number {
  let written = 0;
  try {
    written = writeSync(descriptor, text);
    if (written === Buffer.byteLength(text)) return 0;
  } catch (error) {
    if (!isBusy(error)) return linesIn(text);
  }
  const bytes = Buffer.from(text);
  return linesIn(bytes.toString('latin1', writeRest(descriptor, bytes, written)));
}

/** @returns up to where it got */
function writeRest(descriptor: number, bytes: Buffer, from: number): number {
  const deadline = Date.now() + PATIENCE_MS;
  let written = from;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) return written;
      pause();
    }
  }
  return written;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
