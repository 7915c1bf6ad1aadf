import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/**
 * Runs a program that never outlives the test run. A shell sits between: it waits for the program, and at the same time
 * reads the pipe that the test run holds. One word on the pipe is a signal to send; the end of the pipe, which the
 * kernel brings about however the test run ends, is TERM. KILL follows when TERM has had no effect for five seconds.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- & program=$!
{
  read -r signal <&3
  kill -"\${signal:-TERM}" $program
  sleep 5
  kill -KILL $program
} >/dev/null 2>&1 & reader=$!
wait $program; code=$?
kill $reader 2>/dev/null
exit $code
`;

export interface KeptProcessOptions {
  /** A file that takes everything the program prints. Without it the lines go to `onLine`. */
  readonly log?: string;
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A running program; it is ended with the test run, and earlier by `stop`. */
export interface KeptProcess {
  readonly name: string;
  readonly log: string | undefined;
  running(): boolean;
  /** The exit code; 128 and the signal's number when a signal ended it. */
  readonly exited: Promise<number>;
  /** Sends the signal and waits for the end. */
  stop(signal?: 'TERM' | 'INT' | 'KILL'): Promise<number>;
}

/** Starts a program under the keeper, in a session of its own so that Ctrl-C reaches the test run first. */
export function startKept(
  name: string,
  command: readonly string[],
  { log, onLine, env, cwd }: KeptProcessOptions = {},
): KeptProcess {
  const output = log === undefined ? 'pipe' : openSync(log, 'a');
  const shell = spawn('/bin/sh', ['-c', KEEPER, name, ...command], {
    detached: true,
    stdio: ['pipe', output, output],
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (typeof output === 'number') closeSync(output);
  if (onLine && shell.stdout) eachLine(shell.stdout, (line) => onLine(line, 'stdout'));
  if (onLine && shell.stderr) eachLine(shell.stderr, (line) => onLine(line, 'stderr'));
  // A program that has ended already does not read its signal any more.
  shell.stdin?.on('error', () => undefined);
  const exited = new Promise<number>((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', (code) => resolve(code ?? -1));
  });
  return {
    name,
    log,
    exited,
    running: () => shell.exitCode === null && shell.signalCode === null,
    stop(signal = 'TERM') {
      shell.stdin?.end(`${signal}\n`);
      return exited;
    },
  };
}

/** The last lines that a program wrote to its log, for an error message. */
export function lastLines({ log }: Pick<KeptProcess, 'log'>, count = 15): string {
  return log === undefined ? '' : readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

function eachLine(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  stream.on('end', () => {
    if (rest !== '') take(rest);
  });
}
