import { isBourneShell } from '../../model/bourne-shell.ts';
import { DoorError } from '../../model/door-error.ts';
import { type ParameterSchema, parameterFacts } from '../../model/parameters.ts';
import { expandProgram, expandText } from './expand-text.ts';
import { shellText } from './shell-text.ts';
import type { Tokens } from './tokens.ts';

/**
 * Puts the tokens of an alert into those parameters that take some, as their schema says:
 *
 * - `text`: into every text of the value, as plain data
 * - `folder`: likewise, but a value can neither add a folder nor leave the one where it stands
 * - `program`: for the shell that the parameter `shell` names, so that no value can become code
 *
 * @throws DoorError of code `refused` for a value that cannot be put in safely
 */
export function expandParameters(
  schema: ParameterSchema,
  parameters: Readonly<Record<string, unknown>>,
  tokens: () => Tokens,
): Readonly<Record<string, unknown>> {
  const expanded: Record<string, unknown> = { ...parameters };
  for (const [name, field] of Object.entries(schema.shape)) {
    const { expands } = parameterFacts(field);
    const value = parameters[name];
    if (!expands || value === '' || value === undefined || value === null) continue;
    switch (expands) {
      case 'text':
        expanded[name] = expandDeep(value, tokens());
        break;
      case 'folder':
        expanded[name] = expandText(String(value), namesOf(tokens()));
        break;
      case 'program':
        expanded[name] = program(String(value), String(parameters.shell), tokens());
        break;
    }
  }
  return expanded;
}

function expandDeep(value: unknown, tokens: Tokens): unknown {
  if (typeof value === 'string') return expandText(value, tokens);
  if (Array.isArray(value)) return value.map((item) => expandDeep(item, tokens));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expandDeep(item, tokens)]));
}

/** Values as single names of folders. */
function namesOf(tokens: Tokens): Tokens {
  return new Map([...tokens].map(([name, value]) => [name, safeName(value)]));
}

function safeName(value: string): string {
  const name = value.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 200);
  return /^\.*$/.test(name) ? '_'.repeat(name.length) : name;
}

function program(text: string, shell: string, tokens: Tokens): string {
  if (isBourneShell(shell)) return shellText(text, tokens);
  const expanded = expandProgram(text, tokens);
  if (!expanded.ok) throw new DoorError('refused', expanded.error);
  return expanded.text;
}
