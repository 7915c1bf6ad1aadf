import { createReadStream, statSync } from 'node:fs';
import { TalonError } from '../model/talon-error.ts';
import { fileProblem } from './read-file.ts';
import type { Terminal } from './terminal.ts';

/** One alert as it was read: the bytes that the engine gets, and what to call it. */
export interface ReadAlert {
  /** `alerts.jsonl:3`, or the file alone if it holds one alert. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The largest alert that is read, as the server's default limit. */
const MAX_ALERT_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;

/**
 * Reads alerts from files, or from stdin for `-` and for no file at all. A text whose first line is a whole JSON object has
 * one alert per line, any other text is one alert. Lines are handed on as they come, so that a growing stream works.
 * Throws a TalonError for a file that cannot be read.
 */
export async function* readAlerts(files: readonly string[], terminal: Terminal): AsyncGenerator<ReadAlert> {
  if (files.length === 0 && terminal.inputIsTerminal) {
    terminal.err('reading alerts from the terminal, one per line; end with Ctrl-D\n');
  }
  for (const file of files.length === 0 ? ['-'] : files) {
    if (file === '-') yield* splitAlerts(terminal.input, 'stdin');
    else yield* readFile(file);
  }
}

async function* readFile(file: string): AsyncGenerator<ReadAlert> {
  try {
    if (statSync(file).isDirectory()) throw new TalonError('usage', `cannot read ${file}: is a directory`);
    yield* splitAlerts(createReadStream(file), file);
  } catch (error) {
    if (error instanceof TalonError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new TalonError('usage', `cannot read ${file}: ${fileProblem(error)}`, { cause: error });
  }
}

/** Splits a stream into alerts, see {@link readAlerts}. `name` is what the stream is called. */
export async function* splitAlerts(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<ReadAlert> {
  const whole: Uint8Array[] = [];
  let perLine: boolean | undefined;
  let number = 0;
  let size = 0;
  for await (const line of lines(chunks, name)) {
    number++;
    if (perLine !== false && isBlank(line)) continue;
    perLine ??= isWholeObject(line);
    if (perLine) yield { name: `${name}:${number}`, bytes: line };
    else {
      whole.push(line);
      size += line.length;
      if (size > MAX_ALERT_BYTES) throw tooLarge(name);
    }
  }
  if (whole.length > 0) yield { name, bytes: Buffer.concat(whole) };
}

/** Lines with their line feeds. */
async function* lines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    let text: Uint8Array = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (let end = text.indexOf(LINE_FEED); end >= 0; end = text.indexOf(LINE_FEED)) {
      yield text.subarray(0, end + 1);
      text = text.subarray(end + 1);
    }
    rest = text;
    if (rest.length > MAX_ALERT_BYTES) throw tooLarge(name);
  }
  if (rest.length > 0) yield rest;
}

function tooLarge(name: string): TalonError {
  return new TalonError('usage', `cannot read ${name}: it has an alert of more than 1 MiB`);
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** Whether a line looks like a JSON object from brace to brace. */
function isWholeObject(line: Uint8Array): boolean {
  const text = Buffer.from(line).toString('latin1').trim();
  return text.startsWith('{') && text.endsWith('}');
}
