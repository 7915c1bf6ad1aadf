import type { Notifier } from '../model/definition.ts';
import { parameterFacts } from '../model/parameters.ts';
import { type SettingLeaf, settingLeaves } from './setting-leaves.ts';
import type { Settings } from './settings.ts';

/** The values of all settings that are marked secret, those of notifiers among them: nothing that is written may hold one. */
export function secretValues(settings: Settings, notifiers: ReadonlyMap<string, Notifier>): readonly string[] {
  const secrets = settingLeaves().filter(({ secret }) => secret);
  const passwords = settings.auth.basic_users.map((user) => user.slice(user.indexOf(':') + 1));
  const own = [...notifiers].flatMap(([name, notifier]) => notifierSecrets(notifier, settings.notifiers[name] ?? {}));
  return [...secrets.flatMap((leaf) => secretsAt(settings, leaf)), ...passwords, ...own].filter(Boolean);
}

function secretsAt(settings: Settings, { path }: SettingLeaf): readonly string[] {
  const value = path.split('.').reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], settings);
  return textsIn(value);
}

function notifierSecrets({ settings: schema }: Notifier, given: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.entries(schema.shape).filter(([, field]) => parameterFacts(field).secret);
  return [
    ...names.flatMap(([name]) => textsIn(given[name])),
    ...Object.values(given).flatMap(textsIn).flatMap(passwordIn),
  ];
}

/** A login may stand in any URL. */
function passwordIn(text: string): readonly string[] {
  const password = /^https?:/i.test(text) && URL.canParse(text) ? new URL(text).password : '';
  if (password === '') return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
