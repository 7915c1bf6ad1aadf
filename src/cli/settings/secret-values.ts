import type { Notifier } from '../../model/definition.ts';
import { parameterFacts } from '../../model/parameters.ts';
import { loginParts, secretParts } from './secret-parts.ts';
import { type SettingLeaf, settingLeaves } from './setting-leaves.ts';
import type { Settings } from './settings.ts';

/** The values of all settings that are marked secret, those of notifiers among them: nothing that is written may hold one. */
export function secretValues(settings: Settings, notifiers: ReadonlyMap<string, Notifier>): readonly string[] {
  const secrets = settingLeaves().filter(({ secret }) => secret);
  const passwords = settings.auth.basic_users.map((user) => user.slice(user.indexOf(':') + 1));
  const own = [...notifiers].flatMap(([name, notifier]) => notifierSecrets(notifier, settings.notifiers[name] ?? {}));
  const all = [...secrets.flatMap((leaf) => secretsAt(settings, leaf)), ...passwords, ...own];
  return [...new Set([...all, ...all.flatMap(secretParts)])].filter(Boolean);
}

function secretsAt(settings: Settings, { path }: SettingLeaf): readonly string[] {
  const value = path.split('.').reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], settings);
  return textsIn(value);
}

function notifierSecrets({ settings: schema }: Notifier, given: Readonly<Record<string, unknown>>): readonly string[] {
  const names = Object.entries(schema.shape).filter(([, field]) => parameterFacts(field).secret);
  const secrets = names.flatMap(([name]) => textsIn(given[name]));
  const [user = ''] = textsIn(given.user);
  const logins = user === '' ? [] : secrets.flatMap((secret) => loginParts(user, secret));
  // A login may stand in any URL.
  return [...secrets, ...logins, ...Object.values(given).flatMap(textsIn).flatMap(passwordIn)];
}

function passwordIn(text: string): readonly string[] {
  return /^https?:/i.test(text) ? secretParts(text) : [];
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
