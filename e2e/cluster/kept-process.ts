import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/**
 * Runs a program that never outlives the test run. A shell sits between: it waits for the program, and at the same time
 * reads the pipe that the test run holds. Each line on the pipe is a signal to send. The end of the pipe, which the kernel
 * brings about however the test run ends, is TERM where no signal went before that ends programs; KILL follows when that
 * has had no effect for five seconds.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- & program=$!
{
  last=
  while read -r signal <&3; do kill -"$signal" $program; last=$signal; done
  case $last in TERM|INT|KILL) ;; *) kill -TERM $program ;; esac
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

export type EndSignal = 'TERM' | 'INT' | 'KILL';

/** A running program; it is ended with the test run, and earlier by `stop`. */
export interface KeptProcess {
  readonly name: string;
  readonly log: string | undefined;
  running(): boolean;
  /** The exit code; 128 and the signal's number when a signal ended it. */
  readonly exited: Promise<number>;
  /** Sends the signal and leaves it at that. */
  signal(signal: EndSignal | 'HUP'): void;
  /** Sends the signal, kills the program if that has not ended it after five seconds, and waits for the end. */
  stop(signal?: EndSignal): Promise<number>;
  /** The id of the program's process. Undefined before it is there and after its end. */
  pid(): number | undefined;
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
    signal(signal) {
      shell.stdin?.write(`${signal}\n`);
    },
    pid: () => firstChild(shell.pid),
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

/** The shell starts the program before its own reader. */
function firstChild(parent: number | undefined): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ');
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
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
