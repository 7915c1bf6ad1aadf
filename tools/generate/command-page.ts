import type { Command } from 'commander';
import { commandPath } from '../../src/cli/help.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { fenced, page } from './markdown.ts';

/** The page of the command line: the help of every command. */
export function commandPage(): string {
  const program = buildProgram('talon', async () => {});
  return page('# Commands', ...withSubcommands(program).map(section));
}

function withSubcommands(command: Command): Command[] {
  const visible = command.createHelp().visibleCommands(command);
  return [command, ...visible.flatMap(withSubcommands)];
}

function section(command: Command): string {
  return `## ${commandPath(command)}\n\n${fenced('', command.helpInformation())}`;
}
