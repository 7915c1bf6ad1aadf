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

/** The terminal of this very process. A reader of stdout that goes away (`talon ... | head`) ends the program quietly. */
export function processTerminal(program: string): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
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

/** Whether to draw in colours on a stream: only on a terminal, and never when `NO_COLOR` is set (no-color.org). */
export function drawsColor(terminal: Terminal, stream: 'out' | 'err'): boolean {
  return !terminal.env.NO_COLOR && (stream === 'out' ? terminal.outIsTerminal : terminal.errIsTerminal);
}
