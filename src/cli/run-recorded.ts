import { runCli } from './main.ts';
import { recordingTerminal, type TerminalSetup } from './recording-terminal.ts';

/** What a command printed and ended with, for tests. */
export interface Recorded {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. @param folder taken out of the paths in what is printed */
export async function runRecorded(
  argv: readonly string[],
  setup: TerminalSetup = {},
  folder?: string,
): Promise<Recorded> {
  const terminal = recordingTerminal(setup);
  const code = await runCli(argv, terminal);
  const shortened = (text: string) => (folder === undefined ? text : text.replaceAll(`${folder}/`, ''));
  return { code, out: shortened(terminal.stdout()), err: shortened(terminal.stderr()) };
}
