import { writeSync } from 'node:fs';

/** Takes whole lines. Never throws. */
export type LineSink = (line: string) => void;

/** Pause while a pipe is full, and how long to wait in all before the line is given up. */
const PAUSE_MS = 2;
const PATIENCE_MS = 1_000;

/**
 * Writes lines to a file descriptor, each before the call returns: a crash loses none. A reader that does not keep up holds
 * the writer back. What cannot be written (disk full, reader gone) is dropped and told to `onLost`, because an alert that
 * cannot be logged must still be acted on.
 */
export function createLineSink(descriptor: number, onLost: () => void): LineSink {
  return (line) => {
    try {
      const written = writeSync(descriptor, line);
      if (written < Buffer.byteLength(line)) writeRest(descriptor, Buffer.from(line), written);
    } catch (error) {
      if (!isBusy(error) || !retry(descriptor, line)) onLost();
    }
  };
}

function retry(descriptor: number, line: string): boolean {
  try {
    writeRest(descriptor, Buffer.from(line), 0);
    return true;
  } catch {
    return false;
  }
}

function writeRest(descriptor: number, bytes: Buffer, from: number): void {
  const deadline = Date.now() + PATIENCE_MS;
  let written = from;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      pause();
    }
  }
}

function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
