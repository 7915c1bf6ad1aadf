import type { Door } from './capability.ts';
import type { DoorRow } from './door-row.ts';
import { OBJECT_DOORS } from './doors/object-doors.ts';
import { OUTSIDE_DOORS } from './doors/outside-doors.ts';
import { nodes, POD_DOORS, pods } from './doors/pod-doors.ts';
import type { CloudGrant, Grant, KubeGrant } from './grant.ts';
import type { TargetLookups } from './target-facts.ts';

/** The one table of doors. A door without a row, or a row without a price, does not compile. */
export const DOORS: { readonly [D in Door]: DoorRow<D> } = { ...POD_DOORS, ...OBJECT_DOORS, ...OUTSIDE_DOORS };

/** What the lookups of targets cost that guards and contexts ask for. */
export const LOOKUP_PRICES = {
  pod: [pods('get')],
  node: [nodes('get')],
} satisfies Record<keyof TargetLookups, readonly KubeGrant[]>;

/** What a set of doors costs in Kubernetes: one grant for each resource, sorted, each verb once. */
export function grants(uses: readonly Door[], more: readonly Grant[] = []): readonly KubeGrant[] {
  const verbsOf = new Map<string, { group: string; resource: string; verbs: Set<string> }>();
  for (const { group, resource, verbs } of [...pricesOf(uses), ...more].filter(isKube)) {
    const key = `${group}/${resource}`;
    const entry = verbsOf.get(key) ?? { group, resource, verbs: new Set() };
    for (const verb of verbs) entry.verbs.add(verb);
    verbsOf.set(key, entry);
  }
  return [...verbsOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { group, resource, verbs }]) => ({ group, resource, verbs: [...verbs].sort() }));
}

/** What a set of doors costs in a cloud: permissions as it spells them, sorted, each once. */
export function permissions(
  uses: readonly Door[],
  cloud: CloudGrant['cloud'],
  more: readonly Grant[] = [],
): readonly string[] {
  const all = [...pricesOf(uses), ...more].flatMap((grant) =>
    'cloud' in grant && grant.cloud === cloud ? grant.permission : [],
  );
  return [...new Set(all)].sort();
}

/** What a set of doors must reach, in words, each once. */
export function reaches(uses: readonly Door[]): readonly string[] {
  return [...new Set(pricesOf(uses).flatMap((grant) => ('reaches' in grant ? grant.reaches : [])))];
}

function pricesOf(uses: readonly Door[]): readonly Grant[] {
  return uses.flatMap((door) => DOORS[door].price);
}

function isKube(grant: Grant): grant is KubeGrant {
  return 'verbs' in grant;
}
