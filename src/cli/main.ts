import { type Command, CommanderError } from 'commander';
import { TalonError } from '../model/talon-error.ts';
import { commandPath } from './help.ts';
import { buildProgram } from './program.ts';
import type { GlobalFlags, Run, TalonCommand } from './talon-command.ts';
import type { Terminal } from './terminal.ts';

/**
 * Runs one command line.
 *
 * @param argv the words after the program's name
 * @returns the exit code; 1 for a wrong command line (with a word on stderr), for bad input and for a fault. Never throws.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const run: Run = async (action) => {
    exitCode = await action({ terminal, globals: program.opts<GlobalFlags>() });
  };
  const program = connect(buildProgram(terminal.program, run), terminal);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return error instanceof CommanderError ? error.exitCode : report(error, terminal);
  }
}

/** Sends what commander prints to the terminal, and makes it throw where it would end the process. */
function connect(program: TalonCommand, terminal: Terminal): TalonCommand {
  visit(program, (command) => {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({
        writeOut: terminal.out,
        writeErr: terminal.err,
        outputError: (text, write) =>
          write(`${text.replace(/^error: /, 'Error: ')}Run '${commandPath(command)} --help' for usage.\n`),
      });
  });
  return program;
}

function visit(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const child of command.commands) visit(child, act);
}

/** The only place where a fault becomes words. Users never see a stack trace, unless they ask by TALON_DEBUG=1. */
function report(error: unknown, { err, env }: Terminal): number {
  if (env.TALON_DEBUG === '1') err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  else if (error instanceof TalonError) err(`Error: ${error.message}\n`);
  else {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    err(
      `Error: this is a bug in Talon, please report it with this text: ${text}\n(TALON_DEBUG=1 shows where it happened)\n`,
    );
  }
  return 1;
}
