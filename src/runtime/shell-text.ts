import type { Tokens } from './tokens.ts';

/** Variables that steer the shell or the programs it starts. They keep their meaning, whatever an alert holds. */
const OWN_VARIABLES = new Set(
  (
    'BASH_ENV CDPATH ENV EUID FPATH HISTFILE HOME IFS LANG LD_AUDIT LD_LIBRARY_PATH LD_PRELOAD LINENO LOGNAME MAIL OLDPWD ' +
    'OPTARG OPTIND PATH PPID PROMPT_COMMAND PS1 PS2 PS3 PS4 PWD RANDOM SECONDS SHELL SHELLOPTS SHLVL TERM TMPDIR TZ UID USER'
  ).split(' '),
);

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const TOKEN_SHAPE = /^[A-Z][A-Z0-9_]*$/;
const BRACED = /\$\{([^}]*)\}/g;
const VARIABLE = /\$(?:\{[#!]?)?([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * A command or script for a shell of the Bourne family, with its tokens: the values come as variables, set in front of the
 * text in single quotes, so that no value can become code. The text itself keeps its shell meaning (`$1`, `$?`, `$lower`,
 * `$(...)`). A token that is no name of a variable (`${FALCO-TALON_RULE}`) is replaced by one that is. Names shaped like
 * tokens that the alert lacks are unset, so that the shell's surroundings do not supply them.
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
    if (OWN_VARIABLES.has(name) || values.has(name)) continue;
    const value = tokens.get(name);
    if (value !== undefined) values.set(name, value);
    else if (TOKEN_SHAPE.test(name)) missing.add(name);
  }
  return `${prelude(missing, values)}${renamed}`;
}

/** `${FOO-bar}` is a default value to a shell, so a name that is no identifier must be known, or Talon's own. */
function isToken(name: string, tokens: Tokens): boolean {
  return tokens.has(name) || /^FALCO-TALON_[A-Z_]+$/.test(name);
}

/** A variable for a token whose name is none. */
function freeName(token: string, isTaken: (name: string) => boolean): string {
  let name = token.replace(/[^A-Za-z0-9_]/g, '_').replace(/^\d/, '_$&');
  while (isTaken(name) || OWN_VARIABLES.has(name)) name += '_';
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
