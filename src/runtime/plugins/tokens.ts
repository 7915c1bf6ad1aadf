import type { FalcoEvent } from '../../model/falco-event.ts';
import { jsonText } from '../../model/json-text.ts';
import { JsonNumber, type JsonValue } from '../../model/json-value.ts';
import { plainNumber } from '../../model/text-form.ts';
import type { Context } from '../context.ts';

/** Values of tokens by name, without `$`. */
export type Tokens = ReadonlyMap<string, string>;

/**
 * The tokens that the parameters of one action may use: the alert's output fields (`fd.name` is `FD_NAME`, `proc.args[0]`
 * is `PROC_ARGS_0`), the context (`falco-talon.rule` is `FALCO-TALON_RULE`), and five of the alert itself, which win over
 * fields of the same name. Made for each action anew: nothing of one alert is seen by another, and the environment of the
 * process is neither read nor written.
 */
export function eventTokens(event: FalcoEvent, context: Context): Tokens {
  const tokens = new Map<string, string>();
  for (const [key, value] of event.output_fields ?? []) {
    tokens.set(upperCase(key).replace(/[.[]/g, '_').replaceAll(']', ''), tokenText(value));
  }
  for (const [key, value] of context) tokens.set(upperCase(key).replaceAll('.', '_'), value);
  tokens.set('PRIORITY', event.priority);
  tokens.set('HOSTNAME', event.hostname);
  tokens.set('RULE', event.rule);
  tokens.set('SOURCE', event.source);
  tokens.set('TAGS', (event.tags ?? []).map(tokenText).join(','));
  return tokens;
}

/** Null is empty, numbers are plain decimals, lists and objects are JSON. */
function tokenText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  return value instanceof JsonNumber ? plainNumber(value) : jsonText(value);
}

/** Character by character, as Go does: `ß` stays what it is. */
function upperCase(text: string): string {
  return text.replace(/\p{Changes_When_Uppercased}/gu, (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? upper : letter;
  });
}
