import type { PolicyBlock } from './blocks.ts';
import { checkShape, wrongKind } from './check-shape.ts';
import { Fields, isUnset, keySpot, named } from './fields.ts';
import type { Findings } from './findings.ts';
import { readDocuments } from './read-documents.ts';
import { type MapShape, POLICY } from './shapes.ts';
import type { Source } from './source.ts';
import type { MapNode, YamlNode } from './yaml-node.ts';

/**
 * Reads the entries of one file of guard policies, in their order. Unlike in rules, a key that is not known is an error: to
 * ignore it would be to leave something unguarded.
 */
export function parsePolicies(source: Source, findings: Findings): readonly PolicyBlock[] {
  const fields = new Fields(findings);
  const documents = readDocuments(source, findings);
  const entries = documents.flatMap((root) => entriesOf(root, findings));
  if (findings.complete && documents.every(isBare)) {
    // A file that somebody is about to write, or emptied by mistake, must not take the guards away.
    findings.add('T1912', { source, start: 0, end: 0 }, `there is no policy in \`${source.path}\``);
  }
  return entries.map((entry) => policyBlock(entry, fields));
}

/** Whether a document has nothing in it, right or wrong. */
function isBare(root: YamlNode | null): boolean {
  return !root || isUnset(root) || (root.kind === 'list' && root.items.every(isUnset));
}

function entriesOf(root: YamlNode | null, findings: Findings): readonly MapNode[] {
  if (!root || isUnset(root)) return [];
  if (root.kind !== 'list') {
    const isTest = root.kind === 'map' && root.entries.has('tests');
    const hint = isTest ? 'this is a file of tests: `talon compile --test` runs it' : undefined;
    wrongKind(root, 'a file of policies', 'a list of policies', findings, hint);
    return [];
  }
  return root.items.filter((item) => isPolicy(item, findings));
}

function isPolicy(item: YamlNode, findings: Findings): item is MapNode {
  if (isUnset(item)) {
    findings.add('T1503', item, 'empty entry, ignored');
    return false;
  }
  if (item.kind !== 'map') {
    wrongKind(item, 'an entry', 'a policy', findings);
    return false;
  }
  if (!named(item, 'policy')) {
    const isRule = item.entries.has('rule') || item.entries.has('action');
    const name = item.entries.get('policy')?.value;
    const misspelt = name ? [] : [...item.entries.keys()].map((key) => findings.didYouMean(key, ['policy']));
    const hint = isRule ? 'this is a rules file: it is given with -r' : misspelt.find(Boolean);
    findings.add('T1901', name ?? item, 'this entry has no `policy`, its name', { hint });
    return false;
  }
  checkShape(item, POLICY, findings);
  refuseUnknownKeys(item, POLICY, 'a policy', findings);
  return true;
}

function refuseUnknownKeys(map: MapNode, shape: MapShape, what: string, findings: Findings): void {
  for (const [name, { key, value }] of map.entries) {
    const inner = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (inner === undefined) {
      const hint = findings.didYouMean(name, Object.keys(shape));
      findings.add('T1902', key, `unknown key \`${name}\` in ${what}`, { hint });
    } else if (Array.isArray(inner) && value.kind === 'list') {
      const items = value.items.filter((item) => item.kind === 'map');
      for (const item of items) refuseUnknownKeys(item, inner[0] as MapShape, `an item of \`${name}\``, findings);
    }
  }
}

function policyBlock(map: MapNode, fields: Fields): PolicyBlock {
  const items = (key: string): readonly MapNode[] => fields.items(map, key).filter((item) => item.kind === 'map');
  return {
    spot: keySpot(map, 'policy'),
    policy: fields.text(map, 'policy'),
    description: fields.text(map, 'description'),
    mode: fields.text(map, 'mode'),
    actionners: listed(map, 'actionners') ? fields.texts(map, 'actionners') : undefined,
    deny: items('deny').map((item) => ({
      spot: item,
      expression: fields.text(item, 'expression'),
      message: fields.text(item, 'message'),
    })),
    budgets: items('budgets').map((item) => ({
      spot: item,
      max: fields.text(item, 'max'),
      window: fields.text(item, 'window'),
      per: listed(item, 'per') ? fields.texts(item, 'per') : undefined,
    })),
  };
}

function listed(map: MapNode, key: string): boolean {
  return map.entries.get(key)?.value.kind === 'list';
}
