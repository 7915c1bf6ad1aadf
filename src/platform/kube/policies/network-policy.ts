import { createHash } from 'node:crypto';
import type { PolicyChange } from '../../../model/capability.ts';
import { DoorError } from '../../../model/door-error.ts';
import type { WorkloadTarget } from '../../../model/targets.ts';

/** A rule of a policy, and everything that a policy says: what Talon does not know of it stays as it is. */
export type PolicyRule = Readonly<Record<string, unknown>>;
export type PolicySpec = Readonly<Record<string, unknown>>;

/** A policy as the API server has it. */
export interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Absent from one that is not there yet. */
    readonly resourceVersion?: string;
  };
  readonly spec?: PolicySpec;
}

/** A kind of network policies. */
export interface PolicyKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** What messages call it. */
  readonly called: string;
  /** What makes an API server know the kind. */
  readonly comesWith: string;
  /**
   * Whether a rule has the shape that Falco Talon gives to its rules. This is how those are told apart in policies that it made, which
   * do not say what they owe to it.
   */
  readonly looksWritten: (rule: PolicyRule) => boolean;
}

/** What is made of the spec of a policy (empty for a new one): the whole of it, and those of its rules that are Talon's. */
export type PolicyEdit = (before: {
  readonly spec: PolicySpec;
  /** Whether Talon wrote the rule. */
  readonly isWritten: (rule: PolicyRule) => boolean;
  /** `the networkpolicy 'web' in the namespace 'shop'` */
  readonly named: string;
}) => { readonly spec: PolicySpec; readonly written: readonly PolicyRule[] };

const MANAGED_BY = 'app.k8s.io/managed-by';
const TALON = 'falco-talon';
/** Digests of the rules that Talon wrote, so that those of others can be told from them and are kept. */
const WRITTEN = 'falco-talon/rules';

/** Whether Talon may change the policy at all. */
export function isManaged({ metadata }: PolicyObject): boolean {
  return metadata.labels?.[MANAGED_BY] === TALON;
}

/** The policy of that name after the edit. What others wrote into it (rules, labels, annotations, the way in) is as before. */
export function editPolicy(
  kind: PolicyKind,
  { namespace, labels }: WorkloadTarget,
  name: string,
  found: PolicyObject | undefined,
  edit: PolicyEdit,
): PolicyObject {
  const metadata = found?.metadata;
  const { spec, written } = edit({
    spec: found?.spec ?? {},
    isWritten: writtenIn(found, kind),
    named: policyText(kind, { name, namespace }),
  });
  return {
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    ...found,
    metadata: {
      ...metadata,
      name,
      namespace,
      labels: { ...metadata?.labels, ...labels, [MANAGED_BY]: TALON },
      annotations: { ...metadata?.annotations, [WRITTEN]: written.map(digest).join(',') },
    },
    spec,
  };
}

/** Whether two policies say the same. */
export function isSamePolicy(a: PolicyObject, b: PolicyObject): boolean {
  return canonical(a) === canonical(b);
}

/** How messages name a policy. */
export function policyText(
  { called }: PolicyKind,
  { name, namespace }: { readonly name: PolicyChange['name']; readonly namespace: string },
): string {
  return `the ${called} '${name}' in the namespace '${namespace}'`;
}

function writtenIn(found: PolicyObject | undefined, { looksWritten }: PolicyKind): (rule: PolicyRule) => boolean {
  const digests = found?.metadata.annotations?.[WRITTEN]?.split(',');
  return digests ? (rule) => digests.includes(digest(rule)) : looksWritten;
}

function digest(rule: PolicyRule): string {
  return createHash('sha256').update(canonical(rule)).digest('hex').slice(0, 32);
}

/** The same text for what means the same: API servers sort keys as they like, and some add empty objects for what is not there. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(
      Object.entries(inner)
        .filter(([, each]) => !isEmptyObject(each))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** The rules in a part of a spec; anything else counts as none. */
export function rulesIn(part: unknown): readonly PolicyRule[] {
  return Array.isArray(part) ? part : [];
}

/** The texts in a part of a rule. */
export function textsIn(part: unknown): readonly string[] {
  return Array.isArray(part) ? part.filter((each) => typeof each === 'string') : [];
}

/** The list with the text in it. */
export function including(part: unknown, text: string): readonly string[] {
  return [...new Set([...textsIn(part), text])];
}

/** Networks that one policy denies. Each is a line in the tables of every node that runs the workload. */
const MOST_NETWORKS = 1_000;

/**
 * The denied networks with one more, in their order, each once.
 *
 * @throws DoorError of code `refused` when there are as many as there may be. Who connects chooses the addresses, so the others are no
 *   good answer: to forget the oldest would set free the first one that mattered as soon as a thousand are made up, and to deny wider
 *   networks, or all, would let strangers cut the workload off by sending from many places. The action fails instead, everybody hears of
 *   it, and the rule may go on to isolate or end the pod.
 */
export function withNetwork(denied: readonly string[], network: string, named: string): readonly string[] {
  const all = [...new Set([...denied, network])];
  if (all.length > Math.max(MOST_NETWORKS, new Set(denied).size)) {
    const most = `${named} denies ${all.length - 1} networks, which is the most`;
    throw new DoorError('refused', `${most}: ${network} has not been added`);
  }
  return all;
}

/** Whether a part of a rule is an object with this key, and nothing else that says anything. */
export function hasOnly<K extends string>(part: unknown, key: K): part is Record<K, unknown> {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return false;
  const says = Object.entries(part).filter(([, value]) => !isEmptyObject(value));
  return says.length === 1 && says[0]?.[0] === key;
}
