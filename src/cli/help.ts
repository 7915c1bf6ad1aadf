import type { Argument, Command, Help, Option } from 'commander';

/** What a command's help shows beside what commander knows of it. */
export interface HelpNotes {
  readonly description: string;
  /** Command lines without the program's name, each with what it does. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
}

const WIDTH = 100;

/**
 * The help page of a command, in the layout that Falco Talon's users know (that of cobra). It depends on nothing but
 * the command, so that the generated reference stays stable.
 */
export function helpPage(command: Command, help: Help, notes: HelpNotes): string {
  const path = commandPath(command);
  const commands = help.visibleCommands(command);
  const blocks = [
    wrap(notes.description),
    `Usage:\n${usageLines(command, path)}`,
    notes.examples.length > 0 ? `Examples:\n${exampleLines(notes.examples, path)}` : '',
    listing('Available Commands', commands.map(commandRow)),
    listing('Arguments', command.registeredArguments.filter((argument) => argument.description).map(argumentRow)),
    listing('Flags', help.visibleOptions(command).map(optionRow)),
    listing('Global Flags', help.visibleGlobalOptions(command).map(optionRow)),
    commands.length > 0 ? `Use "${path} [command] --help" for more information about a command.` : '',
  ];
  return `${blocks.filter(Boolean).join('\n\n')}\n`;
}

/** The full name of a command: `talon rules check`. */
export function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}

function usageLines(command: Command, path: string): string {
  if (command.commands.length > 0) return `  ${path} [command]`;
  const operands = command.registeredArguments.map(argumentRow).map(([term]) => ` ${term}`);
  return `  ${path}${operands.join('')} [flags]`;
}

function exampleLines(examples: HelpNotes['examples'], path: string): string {
  const program = path.split(' ')[0];
  return examples
    .map(([line, meaning]) => `  # ${meaning}\n  ${line.replaceAll('talon ', `${program} `)}`)
    .join('\n\n');
}

type Row = readonly [term: string, text: string];

function listing(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([term]) => term.length)) + 3;
  const lines = rows.map(([term, text]) => {
    const [first = '', ...rest] = wrap(text, WIDTH - width - 2).split('\n');
    return [`  ${term.padEnd(width)}${first}`, ...rest.map((line) => ' '.repeat(width + 2) + line)].join('\n');
  });
  return `${title}:\n${lines.join('\n')}`;
}

function commandRow(command: Command): Row {
  return [command.name(), command.summary()];
}

function argumentRow(argument: Argument): Row {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return [argument.required ? `<${name}>` : `[${name}]`, argument.description];
}

function optionRow(option: Option): Row {
  const long = option.long ?? '';
  const value = /[<[].*$/.exec(option.flags)?.[0];
  const term = [option.short ? `${option.short}, ${long}` : `    ${long}`, value].filter(Boolean).join(' ');
  const choices = option.argChoices ? ` (${option.argChoices.join(', ')}; default ${option.defaultValue})` : '';
  return [term, `${option.description}${choices}`];
}

function wrap(text: string, width = WIDTH): string {
  return text
    .split('\n')
    .map((line) => {
      const lines: string[] = [''];
      for (const word of line.split(' ')) {
        const last = lines.at(-1) ?? '';
        if (last && last.length + 1 + word.length > width) lines.push(word);
        else lines[lines.length - 1] = last ? `${last} ${word}` : word;
      }
      return lines.join('\n');
    })
    .join('\n');
}
