import process from 'node:process';

/** What a command may touch of the process it runs in. Tests hand in their own. */
export interface Terminal {
  /** The name that the program was called by: `talon` or `falco-talon`. */
  readonly program: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly input: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inputIsTerminal: boolean;
  readonly now: () => Date;
}

/**
 * The terminal of this very process. A reader that goes away (`talon ... | head`) ends the program quietly, with the exit
 * code of what it had found by then; any other fault of an output (a full disk) ends it with 1.
 */
export function processTerminal(program: string): Terminal {
  process.stderr.on('error', endWithOutput);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.stderr.write(`Error: cannot write the output: ${error.message}\n`);
    endWithOutput(error);
  });
  return {
    program,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    input: process.stdin,
    env: process.env,
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    inputIsTerminal: process.stdin.isTTY === true,
    now: () => new Date(),
  };
}

/** Ends the process, but not before a command that is through has set the exit code. */
function endWithOutput({ code }: NodeJS.ErrnoException): void {
  setImmediate(() => process.exit(code === 'EPIPE' ? (process.exitCode ?? 0) : 1));
}

/** Whether to draw in colours on a stream: only on a terminal, and never when `NO_COLOR` is set (no-color.org). */
export function drawsColor(terminal: Terminal, stream: 'out' | 'err'): boolean {
  return !terminal.env.NO_COLOR && (stream === 'out' ? terminal.outIsTerminal : terminal.errIsTerminal);
}
