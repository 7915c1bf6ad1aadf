import { parameterName } from '../model/decode-parameters.ts';
import type { Actionner } from '../model/definition.ts';
import type { FieldTerm, MatchTerms } from '../model/rule.ts';
import type { ActionBlock, MatchBlock, Parameters } from './blocks.ts';
import type { Findings } from './findings.ts';
import { isSpelledMap } from './parameter-value.ts';
import { scalarType } from './scalar-type.ts';
import type { Spot } from './source.ts';

const PRIORITY_OF_ALERTS = /^[<>]?=?info$/i;
const TAG = /^[a-z_0-9.]*[a-z0-9]$/i;
const FIELD_KEY = /^[a-z0-9.[\]]*$/i;

/**
 * Refuses, for `--strict-talon`, what Falco Talon refuses in `match` or, worse, reads as something else: it drops
 * comparisons whose value contains a further sign.
 */
export function refuseMatch(match: MatchBlock, terms: MatchTerms, findings: Findings): void {
  if (PRIORITY_OF_ALERTS.test(terms.priority.text)) refuseUnknown(match.priority, 'the priority `Info`', findings);
  for (const [index, item] of match.tags.entries()) {
    for (const tag of terms.tags[index] ?? []) if (!TAG.test(tag)) refuseUnknown(item, `the tag \`${tag}\``, findings);
  }
  for (const [index, item] of match.output_fields.entries()) {
    for (const what of (terms.output_fields[index] ?? []).flatMap(unknownInTerm)) refuseUnknown(item, what, findings);
  }
}

function unknownInTerm({ key, operator, value }: FieldTerm): string[] {
  const misread = value.includes('=') || (operator === '!=' && value.includes('!'));
  return [
    ...(FIELD_KEY.test(key) ? [] : [`the field \`${key}\``]),
    ...(misread ? [`a value with a sign, as in \`${key}${operator}${value}\``] : []),
  ];
}

/** Refuses, for `--strict-talon`, spellings of parameters that only its documentation knows. */
export function refuseParameters(
  { parameters }: ActionBlock,
  { parameters: schema }: Actionner,
  findings: Findings,
): void {
  for (const [written, { key, value }] of parameters ?? []) {
    const name = parameterName(schema, written);
    if (name === undefined) continue;
    if (written.toLowerCase() !== name) refuseUnknown(key, `\`${written}\` (it reads \`${name}\`)`, findings);
    if (value.kind === 'map' && isSpelledMap(schema, name)) refuseTypedTexts(value.entries, findings);
  }
}

function refuseTypedTexts(entries: Parameters, findings: Findings): void {
  for (const { value } of entries.values()) {
    const type = value.kind === 'scalar' ? scalarType(value).type : 'string';
    if (value.kind !== 'scalar' || type === 'string' || type === 'null') continue;
    refuseUnknown(value, `\`${value.text}\` as a text without quotes`, findings);
  }
}

/** Adds the finding that Falco Talon does not know something. */
export function refuseUnknown(spot: Spot | undefined, what: string, findings: Findings): void {
  findings.add('T1403', spot, `Falco Talon does not know ${what}`);
}
