import { didYouMean } from '../../compiler/suggest.ts';
import { parameterName } from '../../model/decode-parameters.ts';
import type { Notifier } from '../../model/definition.ts';
import { type ParameterFacts, parameterFacts } from '../../model/parameters.ts';
import type { ConfigMap } from '../settings/config-file.ts';

/** Whatever Go reads as a boolean. */
const BOOLEAN = /^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/;

/**
 * Settings of a notifier that do not say what somebody meant: names that it does not have, and values in whose place it takes the
 * default, as Falco Talon does. A sentence each; values are not shown.
 *
 * @param given as the configuration has them
 */
export function notifierWarnings({ id, settings }: Notifier, given: ConfigMap): readonly string[] {
  return Object.entries(given).flatMap(([written, value]) => {
    const place = `notifiers.${id}.${written}`;
    const name = parameterName(settings, written);
    const field = name === undefined ? undefined : settings.shape[name];
    if (!field) {
      const meant = didYouMean(written, Object.keys(settings.shape));
      return [`the setting '${place}' is unknown and has no effect${meant ? `: ${meant}` : ''}`];
    }
    const facts = parameterFacts(field);
    if (value === null || isRead(String(value), facts)) return [];
    const wanted = facts.enum ? ` (it can be ${facts.enum.join(', ')})` : '';
    return [`the value of the setting '${place}' cannot be read, ${String(facts.default)} is used${wanted}`];
  });
}

function isRead(value: string, { enum: words, default: fallback }: ParameterFacts): boolean {
  if (words) return words.includes(value);
  if (typeof fallback === 'boolean') return BOOLEAN.test(value);
  return typeof fallback !== 'number' || /^[+-]?\d+$/.test(value);
}
