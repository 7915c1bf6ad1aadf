import { isBourneShell } from '../../model/bourne-shell.ts';
import { DoorError } from '../../model/door-error.ts';

/** A program with what it reads. */
export interface ShellProgram {
  readonly program: readonly string[];
  readonly stdin: string;
}

/**
 * UTF-16 units of a text that is an argument. Arguments become part of a URL, and proxies before the API server take no more than
 * about 8 KiB of one; Linux takes 128 KiB for an argument.
 */
const LONGEST_ARGUMENT = 2048;
/** The same of a text that is an input, which the door limits. */
const LONGEST_INPUT = 256 * 1024;

/** Seconds that a program may go on where nobody says. */
const SECONDS = 60;

/**
 * A program does not end with the connection to it, so it gets a limit of its own by `timeout`, where the container has one that
 * works (that of old BusyBoxes takes other arguments): `$1` are the seconds, `$0` the shell, `$2` the text. Without one it ends
 * by itself or never. KILL cannot be ignored; GNU's `timeout` sends it to all that the shell has started in its group.
 */
const LIMITED = 'timeout 1 true </dev/null >/dev/null 2>&1 && exec timeout -s KILL "$1" "$0" -c';

/** The shell is one that understands `-c` and the text. */
const RUN_ARGUMENT = `${LIMITED} "$2"; exec "$0" -c "$2"`;

/** All is read before the first command runs, so that no command of the text reads the rest of it. */
const READ_TEXT = 'command -v cat >/dev/null || { echo "cat: not found" >&2; exit 127; }; eval "$(cat)"';
const RUN_INPUT = `${LIMITED} '${READ_TEXT}'; shift; ${READ_TEXT}`;

/** Interpreters that know their input by this name; one of them, Node.js, cannot open that of the others. */
const READS_DASH = /(^|\/)(python|pypy|perl|ruby|node|nodejs|lua|luajit)[\d.]*$/;

/** How a command line is run. Shells that are not of the Bourne family get no limit. */
export function commandProgram(shell: string, command: string, seconds = SECONDS): ShellProgram {
  checkLength('command', command);
  return isBourneShell(shell) ? bourneProgram(shell, command, seconds) : { program: [shell, '-c', command], stdin: '' };
}

/**
 * How a script is run, without a file of it. Shells that are not of the Bourne family (`python3`, `perl`) read it as if it were
 * one, and get no limit.
 */
export function scriptProgram(shell: string, script: string, seconds = SECONDS): ShellProgram {
  checkLength('script', script);
  if (!isBourneShell(shell)) {
    return { program: [shell, READS_DASH.test(shell) ? '-' : '/dev/stdin'], stdin: script };
  }
  return bourneProgram(shell, script, seconds);
}

function bourneProgram(shell: string, text: string, seconds: number): ShellProgram {
  const limit = String(Math.ceil(seconds));
  return text.length > LONGEST_ARGUMENT
    ? { program: [shell, '-c', RUN_INPUT, shell, limit], stdin: text }
    : { program: [shell, '-c', RUN_ARGUMENT, shell, limit, text], stdin: '' };
}

function checkLength(what: string, text: string): void {
  if (text.length <= LONGEST_INPUT) return;
  throw new DoorError('refused', `the ${what} is longer than ${LONGEST_INPUT} characters with the values of the alert`);
}
