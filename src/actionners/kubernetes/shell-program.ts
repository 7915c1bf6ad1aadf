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
 * works (that of old BusyBoxes takes other arguments). Without one it ends by itself or never. KILL cannot be ignored; GNU's
 * `timeout` sends it to all that the shell has started in its group.
 */
const HAS_TIMEOUT = 'timeout 1 true </dev/null >/dev/null 2>&1';
/** `$1` are the seconds, `$0` is the shell. */
const LIMITED = `${HAS_TIMEOUT} && exec timeout -s KILL "$1" "$0" -c`;

/** The shell is one that understands `-c` and the text, `$2`. */
const RUN_ARGUMENT = `${LIMITED} "$2"; exec "$0" -c "$2"`;

/** What an input ends with, so that half of a text is never run. */
const END = '\n.end-of-text';

/** Makes `$1` the text: there is no end of the input behind its `$2` bytes. */
const READ_TEXT = `head -c 1 </dev/null >/dev/null 2>&1 || { echo "head: not found" >&2; exit 127; }
set -- "$(head -c "$2")" "$1" "$3"
case $1 in *.end-of-text) ;; *) echo "only a part of the text came" >&2; exit 126 ;; esac
`;
/** The text itself: `?` is the line break before its end. */
const TEXT = `\${1%?.end-of-text}`;

/** All is read before the first command runs, and no command of the text reads the rest of it. */
const RUN_READ = `${READ_TEXT}eval "set --; exec </dev/null; ${TEXT}"`;
/** `$3` is the above. */
const RUN_INPUT = `${LIMITED} "$3" "$0" "$1" "$2"; eval "$3"`;

/** The interpreter is no shell, and reads its own input to the end, which it knows by the name `$3`. */
const RUN_OTHER = `${READ_TEXT}if ${HAS_TIMEOUT}
then printf %s "${TEXT}" | timeout -s KILL "$2" "$0" "$3"
else printf %s "${TEXT}" | "$0" "$3"
fi`;

/** Interpreters that know their input by this name; one of them, Node.js, cannot open that of the others. */
const READS_DASH = /(^|\/)(python|pypy|perl|ruby|node|nodejs|lua|luajit)[\d.]*$/;

/** How a command line is run. Shells that are not of the Bourne family get no limit. */
export function commandProgram(shell: string, command: string, seconds = SECONDS): ShellProgram {
  checkLength('command', command);
  return isBourneShell(shell) ? bourneProgram(shell, command, seconds) : { program: [shell, '-c', command], stdin: '' };
}

/**
 * How a script is run, without a file of it. Interpreters that are not of the Bourne family (`python3`, `perl`) read it from
 * their input, whose end a shell has to make: Kubernetes passes none on.
 */
export function scriptProgram(shell: string, script: string, seconds = SECONDS): ShellProgram {
  checkLength('script', script);
  if (isBourneShell(shell)) return bourneProgram(shell, script, seconds);
  return reading(
    '/bin/sh',
    RUN_OTHER,
    [shell, secondsOf(seconds)],
    script,
    READS_DASH.test(shell) ? '-' : '/dev/stdin',
  );
}

function bourneProgram(shell: string, text: string, seconds: number): ShellProgram {
  const limit = secondsOf(seconds);
  if (text.length > LONGEST_ARGUMENT) return reading(shell, RUN_INPUT, [shell, limit], text, RUN_READ);
  return { program: [shell, '-c', RUN_ARGUMENT, shell, limit, text], stdin: '' };
}

/** A program of `shell` that gets a text by its input: after `given`, its arguments are the number of its bytes, and `last`. */
function reading(shell: string, code: string, given: readonly string[], text: string, last: string): ShellProgram {
  const stdin = text + END;
  return { program: [shell, '-c', code, ...given, String(bytesOf(stdin)), last], stdin };
}

function secondsOf(seconds: number): string {
  return String(Math.ceil(seconds));
}

/** Bytes of a text in UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

function checkLength(what: string, text: string): void {
  if (text.length <= LONGEST_INPUT) return;
  throw new DoorError('refused', `the ${what} is longer than ${LONGEST_INPUT} characters with the values of the alert`);
}
