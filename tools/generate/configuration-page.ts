import { type SettingLeaf, settingLeaves } from '../../src/cli/settings/setting-leaves.ts';
import { page, table } from './markdown.ts';

/** The page of the settings: keys of the configuration file and variables. */
export function configurationPage(): string {
  return page(
    '# Configuration',
    'Keys of the configuration file (YAML or JSON) and the environment variables that set the same. An environment variable goes before the file, the file before the default; an empty variable counts as unset. Keys are matched in any case.',
    table(['Key', 'Variable', 'Type', 'Default', 'Meaning'], settingLeaves().map(row)),
    'The settings of notifiers stand under `notifiers.<name>`; see [notifiers.md](notifiers.md). Their variables are `NOTIFIERS_<NAME>_<SETTING>`.',
  );
}

function row({ path, variables, kind, default: value, description, alias = [], secret, without_effect }: SettingLeaf) {
  const notes = [
    alias.length > 0 ? `Also ${alias.map(code).join(', ')}.` : '',
    secret ? 'Never shown.' : '',
    without_effect ? `Without effect in this version: ${without_effect}.` : '',
  ];
  return [
    code(path),
    variables.map(code).join(', '),
    TYPES[kind],
    value === '' || JSON.stringify(value) === '[]'
      ? ''
      : code(typeof value === 'string' ? value : JSON.stringify(value)),
    [description, ...notes].filter(Boolean).join(' '),
  ];
}

const TYPES = { string: 'string', int: 'integer', bool: 'boolean', list: 'list of string' } as const;

function code(text: string): string {
  return `\`${text}\``;
}
