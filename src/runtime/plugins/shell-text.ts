import { DoorError } from '../../model/door-error.ts';
import type { Tokens } from './tokens.ts';

/**
 * Variables that steer the shell or the programs it starts, and those that a shell reads as numbers when they are set, where
 * `a[$(id)]` would be code, or does not let anybody set. They keep their meaning, whatever an alert holds.
 */
const OWN_VARIABLES = new Set(
  (
    'ARGC CDPATH COLUMNS EGID ENV EPOCHREALTIME EPOCHSECONDS ERRNO EUID EXECSHELL FIGNORE FPATH FUNCNAME FUNCNEST GID ' +
    'GLOBIGNORE GROUPS HISTCMD HISTFILE HISTSIZE HOME IFS IGNOREEOF JOBMAX KEYTIMEOUT KSHEGID KSHGID KSHUID KSH_VERSION LANG ' +
    'LINENO LINES LISTMAX LOGNAME MAIL MAILCHECK MODULE_PATH NULLCMD OLDPWD OPTARG OPTERR OPTIND PATH PGRP PIPESTATUS ' +
    'POSIXLY_CORRECT PPID PROMPT PROMPT_COMMAND PS0 PS1 PS2 PS3 PS4 PSVAR PWD RANDOM READNULLCMD REPLY REPORTTIME SAVEHIST ' +
    'SECONDS SHELL SHELLOPTS SHLVL SRANDOM TERM TIMEFMT TIMEFORMAT TMOUT TMPDIR TMPPREFIX TTYIDLE TZ UID USER USERNAME USER_ID ' +
    'ZDOTDIR BASHOPTS BASHPID'
  ).split(' '),
);
const OWN_FAMILIES = /^(?:BASH|LC|LD|ZSH)_/;

/** Where shells take what a variable holds for an expression, or for the name of a variable, and evaluate an index in it. */
const EVALUATES =
  /\(\(|\$\[|\w\[[^\]]*\$|\$\{!|\$\{\w+:\s*\$|\s-(?:eq|ne|lt|le|gt|ge|v)\b|\b(?:declare|export|integer|let|local|read|readonly|typeset|ulimit|unset)\b/;
/** An index that runs something: `a[$(id)]`. */
const ACTIVE_INDEX = /\[[\s\S]*[$`]/;

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TOKEN_SHAPE = /^[A-Z][A-Z0-9_]*$/;
/** Nothing that long is a token; without a limit a text of many `${` would be searched from each of them to its end. */
const BRACED = /\$\{([^}]{0,1000})\}/g;
const VARIABLE = /\$(?:\{[#!]?)?([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * A command or script for a shell of the Bourne family, with its tokens: the values come as variables, set in front of the
 * text in single quotes, so that no value can become code. The text itself keeps its shell meaning (`$1`, `$?`, `$lower`,
 * `$(...)`). A token that is no name of a variable (`${FALCO-TALON_RULE}`) is replaced by one that is. Names shaped like
 * tokens that the alert lacks are unset, so that the shell's surroundings do not supply them.
 *
 * @throws DoorError of code `refused` for a value that would run something where the text has numbers or indices
 */
export function shellText(text: string, tokens: Tokens): string {
  const values = new Map<string, string>();
  const variables = new Map<string, string>();
  const used = new Set([...text.matchAll(VARIABLE)].map(([, name]) => name));
  const renamed = text.replace(BRACED, (reference, name: string) => {
    if (IDENTIFIER.test(name) || !isToken(name, tokens)) return reference;
    const variable =
      variables.get(name) ?? freeName(name, (taken) => tokens.has(taken) || values.has(taken) || used.has(taken));
    variables.set(name, variable);
    values.set(variable, tokens.get(name) ?? '');
    return `\${${variable}}`;
  });
  const missing = new Set<string>();
  for (const [, name = ''] of renamed.matchAll(VARIABLE)) {
    if (isOwn(name) || values.has(name)) continue;
    const value = tokens.get(name);
    if (value !== undefined) values.set(name, value);
    else if (TOKEN_SHAPE.test(name)) missing.add(name);
  }
  refuseActiveIndices(text, values);
  return `${prelude(missing, values)}${renamed}`;
}

function isOwn(variable: string): boolean {
  return OWN_VARIABLES.has(variable) || OWN_FAMILIES.test(variable);
}

/** To bash, zsh and ksh `[[ "$X" -eq 1 ]]` is arithmetic, in which the value `a[$(id)]` runs `id`. No quotes help. */
function refuseActiveIndices(text: string, values: ReadonlyMap<string, string>): void {
  if (!EVALUATES.test(text)) return;
  const active = [...values].find(([, value]) => ACTIVE_INDEX.test(value));
  if (!active) return;
  throw new DoorError(
    'refused',
    `the value of the token '${active[0]}' could run a program where a shell takes it for a number`,
  );
}

/** `${FOO-bar}` is a default value to a shell, so a name that is no identifier must be known, or Talon's own. */
function isToken(name: string, tokens: Tokens): boolean {
  return tokens.has(name) || /^FALCO-TALON_[A-Z_]+$/.test(name);
}

/** A variable for a token whose name is none. */
function freeName(token: string, isTaken: (name: string) => boolean): string {
  let name = token.replace(/[^A-Za-z0-9_]/g, '_').replace(/^\d/, '_$&');
  while (isTaken(name) || isOwn(name)) name += '_';
  return name;
}

function prelude(missing: ReadonlySet<string>, values: ReadonlyMap<string, string>): string {
  const unset = missing.size > 0 ? `unset ${[...missing].join(' ')}; ` : '';
  return `${unset}${[...values].map(([name, value]) => `${name}=${singleQuoted(value)}; `).join('')}`;
}

/** A NUL cannot be passed to any program, so it is left out. */
function singleQuoted(value: string): string {
  return `'${value.replaceAll('\0', '').replaceAll("'", `'\\''`)}'`;
}
