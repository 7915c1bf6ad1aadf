import type { Severity } from '../model/diagnostic.ts';

/** How far Falco Talon gets with a finding: it reads the files, then their syntax, then the rules, then parameters. */
export type Stage = 'file' | 'syntax' | 'rules' | 'parameters';

/** A kind of finding. The page of errors is made from this table. */
export interface ErrorKind {
  readonly severity: Severity;
  /** The phase that finds it; warnings of ours belong to the phase in which they are looked for. */
  readonly stage: Stage;
  /** What is wrong, in general. */
  readonly title: string;
  /** One line on what to do about it. */
  readonly advice: string;
}

function error(stage: Stage, title: string, advice: string): ErrorKind {
  return { severity: 'error', stage, title, advice };
}

function warning(stage: Stage, title: string, advice: string): ErrorKind {
  return { severity: 'warning', stage, title, advice };
}

/**
 * All findings of the compiler by their stable code. A code is never reused: a kind that is given up leaves a gap.
 * T10 files, T11 YAML, T12 rules, T13 actions and outputs, T14 extensions of the language, T15 to T17 warnings, T19 guard
 * policies. T18 belongs to files of tests.
 */
export const ERRORS = {
  T1001: error('file', 'a rules file cannot be read', 'check the path and the permissions of the file'),
  T1002: error('syntax', 'a rules file is not UTF-8 text', 'save the file as UTF-8'),
  T1003: error('syntax', 'a rules file contains a control character', 'remove the character, or write it as an escape'),
  T1004: error('syntax', 'a rules file is too large', 'split it into several files'),
  T1005: error('file', 'no rules file is given', 'name one with -r or in rules_files'),

  T1006: error(
    'file',
    'the command cannot be carried out',
    'see its message: it is about the command line, the configuration or a file',
  ),

  T1101: error('syntax', 'the YAML is malformed', 'quote texts that start with a sign, check the indentation'),
  T1102: error('syntax', 'a key stands twice in one mapping', 'keep one of them'),
  T1103: error('syntax', 'an alias has no anchor', 'define the anchor before the alias'),
  T1104: error('syntax', 'an alias stands inside what it names', 'write the value out'),
  T1105: error('syntax', 'aliases expand to too many values', 'write fewer nested aliases'),
  T1106: error('syntax', 'values are nested too deeply', 'flatten the value'),
  T1107: error('syntax', 'a key is not a plain text', 'use a text as key'),
  T1108: error('syntax', 'a value has the wrong kind', 'write a text, a list or a mapping, as the key wants it'),
  T1109: error('syntax', 'a value does not fit its tag', 'remove the tag, or write a value that fits it'),

  T1201: error('rules', 'a rule has a wrong `continue`', 'write true or false, in lower case'),
  T1202: error('rules', 'a rule has a wrong `dry_run`', 'write true or false, in lower case'),
  T1203: error('rules', 'a rule has no action', 'give it at least one action'),
  T1204: error('rules', 'an action has no name', 'give it a name with the key `action`'),
  T1205: error('rules', 'an action has no actionner', 'name an actionner, or an action block that has one'),
  T1206: error('rules', 'the actionner is malformed', 'write it as category:name'),
  T1207: error('rules', 'an action has a wrong `continue`', 'write true or false, in lower case'),
  T1208: error('rules', 'an action has a wrong `ignore_errors`', 'write true or false, in lower case'),
  T1209: error('rules', 'an output has no parameters', 'add the parameters of the output'),
  T1210: error('rules', 'the priority is malformed', 'write an optional comparison and a priority, without spaces'),
  T1211: error('rules', 'a tag is malformed', 'write a tag without white space, or several with commas between them'),
  T1212: error('rules', 'an output field is malformed', 'write key=value or key!=value'),
  T1213: error(
    'rules',
    'action blocks give too many parameters',
    'shorten the lists of the blocks, or use fewer actions',
  ),
  T1214: error(
    'rules',
    'a value of an output field nests too deeply',
    'compare with a shorter text, or write a condition',
  ),

  T1301: error('parameters', 'the actionner does not exist', 'see `talon actionners list`'),
  T1302: error('parameters', 'a parameter of the actionner is wrong', 'see `talon actionners list`'),
  T1303: error('parameters', 'an output is missing', 'add an output: the actionner makes a file'),
  T1304: error('parameters', 'the output target does not exist', 'see `talon outputs list`'),
  T1306: error('parameters', 'a parameter of the output is wrong', 'see `talon outputs list`'),
  T1307: error(
    'parameters',
    'a file that a parameter names cannot be embedded',
    'check the path and the size of the file',
  ),

  T1401: error('rules', 'a condition is malformed', 'write a CEL expression over the variable `event`'),
  T1403: error('rules', 'Falco Talon does not know this', 'remove it, or leave --strict-talon out'),
  T1404: error('rules', 'a `timeout` is malformed', 'write a duration from 1s to 24h, such as 30s or 2m'),
  T1405: error('rules', 'a `retry` is malformed', 'write `attempts` from 1 to 100, and a `backoff` such as 2s'),
  T1406: error('rules', 'an `on_interrupt` is wrong', 'write retry or fail'),
  T1407: error(
    'parameters',
    'a `timeout` is shorter than what the action takes',
    'raise it, or shorten the duration or the wait among the parameters',
  ),

  T1501: warning('syntax', 'a key is not known', 'remove it, or correct its spelling'),
  T1502: warning('syntax', 'an entry is neither a rule nor an action block', 'give it a `rule` or an `action`'),
  T1503: warning('syntax', 'an entry is empty', 'remove it'),
  T1504: warning('syntax', 'an entry is both a rule and an action block', 'write two entries'),
  T1505: warning('syntax', 'Falco Talon reads only the first document of a file', 'write one list'),
  T1506: warning('rules', 'repeated action blocks give a parameter different types', 'use one type'),
  T1507: warning('rules', 'an action and its block give a parameter different types', 'use one type'),
  T1508: warning('rules', 'an action block that no rule uses has a fault', 'correct or remove it'),
  T1509: warning('file', 'a rules file is given twice', 'name it once'),

  T1601: warning('rules', 'an action is never reached', 'set `continue: true` on the action before it'),
  T1602: warning('rules', 'a rule is never reached', 'remove it, or let the earlier rule continue'),
  T1603: warning('rules', 'a rule acts on every alert', 'narrow its match'),
  T1604: warning(
    'rules',
    'an action after a capture runs, which it does not in Falco Talon',
    'set `continue` on the capture',
  ),
  T1605: warning('rules', 'a rule repeats an earlier one', 'remove one of them'),
  T1606: warning('rules', 'the key of an output field ends with a sign', 'only `=` and `!=` compare output fields'),

  T1701: warning('parameters', 'a notifier does not exist', 'see `talon notifiers list`'),
  T1702: warning('parameters', 'a parameter is not known', 'remove it, or correct its spelling'),
  T1703: warning(
    'parameters',
    'a token stands in single quotes',
    'use double quotes: a shell expands nothing in single ones',
  ),
  T1704: warning('parameters', 'an additional context does not exist', 'use aws or k8snode'),
  T1705: warning(
    'parameters',
    'an output has nothing to store',
    'remove it, or give it to an action that makes a file',
  ),

  T1901: error('rules', 'an entry is no policy', 'give it a name with the key `policy`'),
  T1902: error('rules', 'a key of a policy is not known', 'remove it, or correct its spelling'),
  T1903: error('rules', 'two policies have one name', 'rename one of them'),
  T1904: error('rules', 'the mode of a policy is wrong', 'write enforce or monitor'),
  T1905: error(
    'rules',
    'a policy names an actionner that does not exist',
    'write the id of an actionner, category:*, or destructive',
  ),
  T1906: error('rules', 'a policy stops nothing', 'give it `deny` or `budgets`'),
  T1907: error('rules', 'a denial lacks its expression or its message', 'give it both'),
  T1908: error('rules', 'a deny expression is malformed', 'see docs/policies.md for the variables and functions'),
  T1909: error(
    'rules',
    'a deny expression reads what may be missing',
    'look for it first: `has(x) && ...`, or `"key" in map && ...`',
  ),
  T1910: error('rules', 'a deny expression could fail for some alerts', 'write it so that it always has a result'),
  T1911: error('rules', 'a budget is malformed', 'give it `max` and a `window` such as 10m, and `per` if need be'),
  T1912: error('rules', 'a file of policies has none', 'write a policy into it, or do not give it'),
} as const satisfies Record<`T1${string}`, ErrorKind>;

/** A code of {@link ERRORS}. */
export type ErrorId = keyof typeof ERRORS;
