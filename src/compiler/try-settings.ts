import type { PlannedAction, RetrySettings } from '../model/rule.ts';
import type { ActionBlock, RetryBlock } from './blocks.ts';
import { secondsOf } from './duration.ts';
import type { ErrorId } from './errors.ts';
import { isUnset, keySpot } from './fields.ts';
import type { Findings } from './findings.ts';
import { refuseUnknown } from './strict-talon.ts';
import type { MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

/** The keys of an action that say how it is tried; an extension of Falco Talon's language. */
export const TRY_KEYS = ['timeout', 'retry', 'on_interrupt'] as const;
const RETRY_KEYS = ['attempts', 'backoff'];
const ON_INTERRUPT = ['retry', 'fail'] as const;

/** Seconds. */
const TIMEOUT = { min: 1, max: 86_400, text: 'from 1s to 24h' };
const BACKOFF = { min: 0, max: 3600, text: 'up to 1h' };
const MOST_ATTEMPTS = 100;

type TrySettings = Pick<ActionBlock, (typeof TRY_KEYS)[number]>;

/**
 * Reads the three keys of an action. Falco Talon ignores them whatever they are, so that a wrong value is none of its syntax
 * errors.
 */
export function readTrySettings(action: MapNode, findings: Findings, { strictTalon = false } = {}): TrySettings {
  for (const key of TRY_KEYS) {
    if (strictTalon && action.entries.has(key)) refuseUnknown(keySpot(action, key), `\`${key}\``, findings);
  }
  return {
    timeout: readDuration(action, 'timeout', { code: 'T1404', range: TIMEOUT }, findings),
    retry: readRetry(action, findings),
    on_interrupt: readOnInterrupt(action, findings),
  };
}

/** Later blocks over earlier ones: what is not empty replaces, key by key. */
export function mergeRetries(retries: readonly (RetryBlock | undefined)[]): RetryBlock | undefined {
  const given = retries.filter((retry) => retry !== undefined);
  if (given.length < 2) return given[0];
  return {
    attempts: given.findLast(({ attempts }) => attempts)?.attempts,
    backoff: given.findLast(({ backoff }) => backoff)?.backoff,
  };
}

/** What the bundle carries: only what the rules file sets. */
export function plannedTrySettings(action: TrySettings): Pick<PlannedAction, (typeof TRY_KEYS)[number]> {
  const timeout = action.timeout && secondsOf(action.timeout.text);
  const retry = action.retry && retrySettings(action.retry);
  const onInterrupt = ON_INTERRUPT.find((word) => word === action.on_interrupt?.text);
  return {
    ...(timeout !== undefined && { timeout }),
    ...(retry && Object.keys(retry).length > 0 && { retry }),
    ...(onInterrupt && { on_interrupt: onInterrupt }),
  };
}

function retrySettings({ attempts, backoff }: RetryBlock): RetrySettings {
  const seconds = backoff && secondsOf(backoff.text);
  return { ...(attempts && { attempts: Number(attempts.text) }), ...(seconds !== undefined && { backoff: seconds }) };
}

function readRetry(action: MapNode, findings: Findings): RetryBlock | undefined {
  const value = action.entries.get('retry')?.value;
  if (!value || isUnset(value)) return undefined;
  if (value.kind !== 'map') {
    findings.add('T1405', value, `\`retry\` must be a mapping, not ${kindOf(value)}`, {
      hint: 'write `retry: { attempts: 3, backoff: 2s }`',
    });
    return undefined;
  }
  for (const [name, { key }] of value.entries) {
    if (RETRY_KEYS.includes(name)) continue;
    const hint = findings.didYouMean(name, RETRY_KEYS) ?? 'it has the keys `attempts` and `backoff`';
    findings.add('T1405', key, `\`retry\` has no key \`${name}\``, { hint });
  }
  return {
    attempts: readAttempts(value, findings),
    backoff: readDuration(value, 'backoff', { code: 'T1405', range: BACKOFF }, findings),
  };
}

function readAttempts(retry: MapNode, findings: Findings): ScalarNode | undefined {
  return readText(retry, 'attempts', (text, value) => {
    const attempts = /^\d+$/.test(text) ? Number(text) : 0;
    if (attempts >= 1 && attempts <= MOST_ATTEMPTS) return;
    const hint = text === '0' ? '1 is one try, and no other' : undefined;
    const wrong = `\`attempts\` must be a number from 1 to ${MOST_ATTEMPTS}, not ${shown(value)}`;
    findings.add('T1405', value, wrong, { hint });
  });
}

function readOnInterrupt(action: MapNode, findings: Findings): ScalarNode | undefined {
  return readText(action, 'on_interrupt', (text, value) => {
    if (ON_INTERRUPT.some((word) => word === text)) return;
    findings.add('T1406', value, `\`on_interrupt\` must be retry or fail, not ${shown(value)}`, {
      hint: findings.didYouMean(text, ON_INTERRUPT),
    });
  });
}

interface DurationRule {
  readonly code: ErrorId;
  readonly range: { readonly min: number; readonly max: number; readonly text: string };
}

function readDuration(
  map: MapNode,
  key: string,
  { code, range }: DurationRule,
  findings: Findings,
): ScalarNode | undefined {
  return readText(map, key, (text, value) => {
    const seconds = secondsOf(text);
    if (seconds === undefined) {
      const wanted = 'a duration such as `30s` or `2m`, or a number of seconds';
      findings.add(code, value, `\`${key}\` must be ${wanted}, not ${shown(value)}`);
    } else if (seconds < range.min || seconds > range.max) {
      findings.add(code, value, `\`${key}\` must be ${range.text}, not ${shown(value)}`);
    }
  });
}

/** The text of a key, after a look at its value. Null and the empty text count as left out. */
function readText(map: MapNode, key: string, check: (text: string, value: YamlNode) => void): ScalarNode | undefined {
  const value = map.entries.get(key)?.value;
  if (!value || isUnset(value)) return undefined;
  if (value.kind === 'scalar' && value.text === '') return undefined;
  check(value.kind === 'scalar' ? value.text : '', value);
  return value.kind === 'scalar' ? value : undefined;
}

function shown(value: YamlNode): string {
  return value.kind === 'scalar' ? `\`${value.text}\`` : kindOf(value);
}

function kindOf({ kind }: YamlNode): string {
  return { scalar: 'a text', list: 'a list', map: 'a mapping' }[kind];
}
