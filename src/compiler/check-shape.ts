import { isUnset } from './fields.ts';
import type { Findings } from './findings.ts';
import { fitsTag } from './scalar-type.ts';
import type { MapShape, Shape } from './shapes.ts';
import type { MapNode, YamlNode } from './yaml-node.ts';

/** Adds a finding for every value of a mapping that is of another kind than its key wants. Null counts as left out. */
export function checkShape(map: MapNode, shape: MapShape, findings: Findings): void {
  for (const [key, { value }] of map.entries) {
    const wanted = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (wanted !== undefined && !isUnset(value)) checkValue(value, wanted, key, findings);
  }
}

function checkValue(value: YamlNode, wanted: Shape, key: string, findings: Findings): void {
  const what = `\`${key}\``;
  if (wanted === 'text') checkText(value, what, findings);
  else if (wanted === 'texts') {
    for (const item of itemsOf(value, key, findings)) checkText(item, `an item of ${what}`, findings);
  } else if (isListShape(wanted)) {
    for (const item of itemsOf(value, key, findings)) checkMap(item, wanted[0], `an item of ${what}`, findings);
  } else checkMap(value, wanted, what, findings);
}

function isListShape(shape: Shape): shape is readonly [MapShape] {
  return Array.isArray(shape);
}

function checkText(value: YamlNode, what: string, findings: Findings): void {
  if (value.kind === 'scalar') checkTags(value, findings);
  else wrongKind(value, what, 'a text', findings);
}

function checkMap(value: YamlNode, shape: MapShape | 'parameters', what: string, findings: Findings): void {
  if (value.kind !== 'map') wrongKind(value, what, 'a mapping', findings);
  else if (shape === 'parameters') checkTags(value, findings);
  else checkShape(value, shape, findings);
}

/** The items of a list, without the null ones. */
function itemsOf(value: YamlNode, key: string, findings: Findings): readonly YamlNode[] {
  if (value.kind === 'list') return value.items.filter((item) => !isUnset(item));
  wrongKind(value, `\`${key}\``, 'a list', findings);
  return [];
}

/** An explicit tag such as `!!int` must fit its value. */
function checkTags(node: YamlNode, findings: Findings): void {
  if (node.kind === 'list') for (const item of node.items) checkTags(item, findings);
  else if (node.kind === 'map') for (const { value } of node.entries.values()) checkTags(value, findings);
  else if (!fitsTag(node)) findings.add('T1109', node, `\`${node.text}\` is no \`!!${node.tag}\``);
}

/** Adds the finding that a value is of the wrong kind. */
export function wrongKind(node: YamlNode, what: string, wanted: string, findings: Findings, hint?: string): void {
  const kinds = { scalar: 'a text', list: 'a list', map: 'a mapping' };
  findings.add('T1108', node, `${what} must be ${wanted}, not ${kinds[node.kind]}`, { hint });
}
