import path from 'node:path';
import { TalonError } from '../../model/talon-error.ts';
import type { LogFormat } from '../../platform/telemetry/log-line.ts';
import { type ConfigMap, isConfigMap, readConfigFile } from './config-file.ts';
import { type SettingLeaf, settingLeaves } from './setting-leaves.ts';
import { LATER_KEYS, type SettingValues, settingsSchema } from './settings-schema.ts';
import { decodeWeakly } from './weak-typing.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface SettingsSource {
  /** Undefined: no file is read. */
  readonly configFile: string | undefined;
  /** Files of `-r`. If there are any, they replace all others. */
  readonly rulesFlags: readonly string[];
  /** Files of `-p`, likewise. */
  readonly policiesFlags?: readonly string[];
  readonly env: Environment;
}

/** The settings of a run, read once and frozen. */
export interface Settings extends Omit<SettingValues, 'rules_files' | 'policies_files' | 'log_format' | 'kubeconfig'> {
  readonly rulesFiles: readonly string[];
  /** Files of guard policies. */
  readonly policiesFiles: readonly string[];
  /** `NO_COLOR` turns `color` into `text`. */
  readonly logFormat: LogFormat;
  /** With `~` expanded. Empty: the credentials of the pod. */
  readonly kubeconfig: string;
  /** Settings of notifiers by name. All of them count as secret. */
  readonly notifiers: Readonly<Record<string, ConfigMap>>;
  /** What somebody set to no effect, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the settings: `-r` and `-p` before the environment, the environment before the file, the file before the defaults. An empty
 * variable counts as unset.
 *
 * @throws TalonError('config') in Falco Talon's words
 */
export function loadSettings({ configFile, rulesFlags, policiesFlags = [], env }: SettingsSource): Settings {
  const file = configFile === undefined ? {} : readConfigFile(configFile);
  const leaves = settingLeaves();
  const given = new Map<string, unknown>();
  for (const leaf of leaves) {
    const value = envValue(leaf, env) ?? fileValue(leaf, file);
    if (value !== undefined) given.set(leaf.path, value);
  }
  const { rules_files, policies_files, log_format, kubeconfig, ...values } = checked(decode(leaves, given));
  return Object.freeze({
    ...values,
    rulesFiles: rulesFlags.length > 0 ? rulesFlags : rules_files,
    policiesFiles: policiesFlags.length > 0 ? policiesFlags : policies_files,
    logFormat: lineFormat(log_format, env),
    kubeconfig: expandHome(kubeconfig, env),
    notifiers: notifierSettings(file, env),
    warnings: [...unknownKeys(file, leaves), ...withoutEffect(leaves, file, env)],
  });
}

/**
 * How lines about a broken configuration are written: Falco Talon's default, because what the configuration says about
 * logging is not known yet.
 */
export function fallbackLogFormat(env: Environment): LogFormat {
  return lineFormat('color', env);
}

function envValue({ variables }: SettingLeaf, env: Environment): string | undefined {
  return variables.map((variable) => env[variable]).find(Boolean);
}

function fileValue({ path: key, alias = [] }: SettingLeaf, file: ConfigMap): unknown {
  return [key, ...alias].map((each) => lookUp(file, each)).find((value) => value !== undefined && value !== null);
}

/** A value by its dotted key, which the file may nest or write as it is. */
function lookUp(file: ConfigMap, key: string): unknown {
  if (Object.hasOwn(file, key)) return file[key];
  const dot = key.indexOf('.');
  const group = dot < 0 ? undefined : file[key.slice(0, dot)];
  return isConfigMap(group) ? lookUp(group, key.slice(dot + 1)) : undefined;
}

/** The settings in their own types, nested as in the schema. */
function decode(leaves: readonly SettingLeaf[], given: ReadonlyMap<string, unknown>): ConfigMap {
  const groups: Record<string, Record<string, unknown>> = {};
  const root: Record<string, unknown> = groups;
  const errors: string[] = [];
  for (const { path: key, kind } of leaves) {
    const [name = '', inner] = key.split('.');
    if (inner !== undefined) groups[name] ??= {};
    if (!given.has(key)) continue;
    const decoded = decodeWeakly(given.get(key), kind, key);
    if (!decoded.ok) errors.push(decoded.error);
    else if (inner === undefined) root[name] = decoded.value;
    else (groups[name] as Record<string, unknown>)[inner] = decoded.value;
  }
  if (errors.length > 0) throw unusable(errors);
  return root;
}

/** Types are right by now; what is left are ranges. */
function checked(values: ConfigMap): SettingValues {
  const parsed = settingsSchema.safeParse(values);
  if (parsed.success) return parsed.data;
  throw unusable(parsed.error.issues.map((issue) => `'${issue.path.join('.')}' is out of range: ${issue.message}`));
}

function unusable(errors: readonly string[]): TalonError {
  const list = errors.join('\n');
  return new TalonError(
    'config',
    `error unmarshalling config file: 'decoding failed due to the following error(s):\n\n${list}'`,
  );
}

function lineFormat(name: string, env: Environment): LogFormat {
  const format = name.toLowerCase();
  if (format === 'color') return env.NO_COLOR ? 'text' : 'color';
  return format === 'text' ? 'text' : 'json';
}

function expandHome(file: string, env: Environment): string {
  return /^~(?=\/|$)/.test(file) ? path.join(env.HOME ?? '', file.slice(1)) : file;
}

/** `notifiers.<name>.<key>` of the file, and `NOTIFIERS_<NAME>_<KEY>` over it. No name of a notifier has a `_`. */
function notifierSettings(file: ConfigMap, env: Environment): Record<string, ConfigMap> {
  const notifiers: Record<string, Record<string, unknown>> = {};
  const groups = isConfigMap(file.notifiers) ? file.notifiers : {};
  for (const [name, settings] of Object.entries(groups)) {
    if (isConfigMap(settings)) notifiers[name] = { ...settings };
  }
  for (const [variable, value] of Object.entries(env)) {
    const [, name, key] = /^NOTIFIERS_([A-Z0-9]+)_(\w+)$/.exec(variable) ?? [];
    if (name && key && value) {
      notifiers[name.toLowerCase()] = { ...notifiers[name.toLowerCase()], [key.toLowerCase()]: value };
    }
  }
  return notifiers;
}

function unknownKeys(file: ConfigMap, leaves: readonly SettingLeaf[]): string[] {
  const known = new Set(leaves.flatMap(({ path: key, alias = [] }) => [key, ...alias]));
  const groups = new Set([...known].filter((key) => key.includes('.')).map((key) => key.split('.')[0]));
  return Object.entries(file).flatMap(([key, value]) => {
    if (key === 'notifiers' || key.startsWith('notifiers.') || known.has(key)) return [];
    if (LATER_KEYS.includes(key.split('.')[0] ?? ''))
      return [`the setting '${key}' is not supported by this version and has no effect`];
    if (!groups.has(key) || !isConfigMap(value)) return [unknownKey(key)];
    const inner = Object.keys(value).map((each) => `${key}.${each}`);
    return inner.filter((each) => !known.has(each)).map(unknownKey);
  });
}

function unknownKey(key: string): string {
  return `the setting '${key}' is unknown and has no effect`;
}

/** Settings that this version does nothing with, where somebody set them to something. */
function withoutEffect(leaves: readonly SettingLeaf[], file: ConfigMap, env: Environment): string[] {
  return leaves.flatMap((leaf) => {
    if (leaf.without_effect === undefined) return [];
    // The variables of AWS are set for its libraries by whoever runs the pod: nobody meant this setting.
    const value = leaf.path.startsWith('aws.') ? fileValue(leaf, file) : (envValue(leaf, env) ?? fileValue(leaf, file));
    const decoded = decodeWeakly(value ?? false, leaf.kind, leaf.path);
    return value !== undefined && decoded.ok && decoded.value
      ? [`the setting '${leaf.path}' has no effect in this version: ${leaf.without_effect}`]
      : [];
  });
}
