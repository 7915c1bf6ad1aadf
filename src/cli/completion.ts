import { RootCommand, script } from '@bomb.sh/tab';
import type { Command, Option } from 'commander';
import type { Shell } from './shells.ts';
import type { Terminal } from './terminal.ts';

/** `completion <shell>`: prints the script, which asks the program itself (hidden command `complete`) for candidates. */
export function completionScript(terminal: Terminal, shell: Shell): number {
  const text = printed(() => script(shell, terminal.program, terminal.program));
  terminal.out(shell === 'bash' ? mendedForBash(text) : text);
  return 0;
}

/** What the package bash-completion brings, as far as the script needs it, for shells without that package. */
const BASH_WORDS = `if ! type -t _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        words=("\${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=\${COMP_WORDS[COMP_CWORD]}
        prev=\${COMP_WORDS[COMP_CWORD-1]}
    }
fi
`;

/** The library's script can be read only once in a shell, needs another package, and completes no file names. */
function mendedForBash(text: string): string {
  return BASH_WORDS + text.replaceAll(/^readonly /gm, '').replace(/^complete -F /m, 'complete -o default -F ');
}

/** The directive at the end of an answer: 4 says "no file names", 0 leaves it to the shell to complete them. */
const NO_FILES = ':4\n';
const FILES = ':0\n';

/**
 * `complete -- WORDS`: one candidate a line with a tab and its description, then the directive. The last word is the one
 * being typed, empty for a new one.
 */
export function completeWords(terminal: Terminal, program: Command, words: readonly string[]): number {
  const root = new RootCommand();
  describe(root, program, '');
  const answer = printed(() => root.parse([...words]));
  terminal.out(answer === NO_FILES && !words.at(-1)?.startsWith('-') ? FILES : answer);
  return 0;
}

function describe(root: RootCommand, command: Command, path: string): void {
  const help = command.createHelp();
  const target = path ? root.command(path, command.summary()) : root;
  for (const option of [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)])
    addFlag(target, option);
  for (const argument of command.registeredArguments) {
    const choices = argument.argChoices ?? [];
    target.argument(
      argument.name(),
      (complete) => choices.forEach((choice) => void complete(choice, '')),
      argument.variadic,
    );
  }
  for (const child of help.visibleCommands(command))
    describe(root, child, path ? `${path} ${child.name()}` : child.name());
}

function addFlag(target: ReturnType<RootCommand['command']>, option: Option): void {
  const name = option.long?.slice(2) ?? '';
  const short = option.short?.slice(1);
  const takesValue = option.required || option.optional;
  if (!takesValue) target.option(name, option.description, short);
  else {
    const choices = option.argChoices ?? [];
    target.option(
      name,
      option.description,
      (complete) => choices.forEach((choice) => void complete(choice, '')),
      short,
    );
  }
}

/** The library prints by `console.log`; caught here, so that its text goes where the caller wants. */
function printed(print: () => void): string {
  const lines: string[] = [];
  const log = console.log;
  console.log = (line: string) => void lines.push(line);
  try {
    print();
  } finally {
    console.log = log;
  }
  return lines.map((line) => `${line}\n`).join('');
}
