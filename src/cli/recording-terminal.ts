import type { Terminal } from './terminal.ts';

/** A terminal for tests: what a command prints is kept as text, its input is given, its clock stands still. */
export interface RecordingTerminal extends Terminal {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** The moment that its clock shows. */
export const RECORDED_AT = new Date('2026-01-01T10:15:02Z');

export interface TerminalSetup {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: readonly (string | Uint8Array)[];
  readonly onTerminal?: boolean;
  readonly program?: string;
}

export function recordingTerminal(setup: TerminalSetup = {}): RecordingTerminal {
  const { env = {}, input = [], onTerminal = false, program = 'talon' } = setup;
  const written: Record<'out' | 'err', string[]> = { out: [], err: [] };
  return {
    program,
    out: (text) => void written.out.push(text),
    err: (text) => void written.err.push(text),
    input: chunks(input),
    env,
    outIsTerminal: onTerminal,
    errIsTerminal: onTerminal,
    inputIsTerminal: onTerminal,
    now: () => RECORDED_AT,
    stdout: () => written.out.join(''),
    stderr: () => written.err.join(''),
  };
}

async function* chunks(input: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of input) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}
