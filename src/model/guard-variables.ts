import { type CelValue, type ConditionEvent, EVENT_MEMBERS } from './condition-event.ts';
import { EVENT_VOCABULARY } from './condition-program.ts';
import { matchNames } from './decode-parameters.ts';
import type { Actionner } from './definition.ts';
import type { ParameterMap, ParameterValue } from './rule.ts';
import type { NodeFacts, PodFacts } from './target-facts.ts';

/** Labels by which clusters mark the nodes that run the control plane. */
const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

/** The variable `rule` of guards. */
export class GuardRule {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** The variable `action` of guards. */
export class GuardAction {
  readonly name: string;
  readonly actionner: string;
  readonly destructive: boolean;
  /** By their own names, whatever spelling the rule uses; only those that the rule gives. */
  readonly parameters: ReadonlyMap<string, CelValue>;

  constructor(name: string, actionner: Actionner, parameters: ParameterMap | null) {
    this.name = name;
    this.actionner = actionner.id;
    this.destructive = actionner.destructive === true;
    const given = parameters ?? {};
    const written = [...matchNames(actionner.parameters, Object.keys(given))];
    this.parameters = new Map(written.map(([known, spelled]) => [known, celParameter(given[spelled] ?? null)]));
  }
}

/** What controls the pod. */
export class GuardOwner {
  readonly kind: string;
  readonly name: string;
  constructor(kind: string, name: string) {
    this.kind = kind;
    this.name = name;
  }
}

/** The node that the pod runs on. What stands in its labels is known only after it was looked up. */
export class GuardNode {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly control_plane: boolean;

  constructor(name: string, labels: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.labels = new Map(Object.entries(labels));
    this.control_plane = CONTROL_PLANE.some((label) => this.labels.has(label));
  }
}

/** What an action is about, as the alert names it: a pod, another object, or nothing (all empty). */
export interface TargetNames {
  /** In the plural: `pods`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** What was looked up of the pod that an action is about. */
export interface TargetFacts {
  readonly pod?: PodFacts;
  readonly node?: NodeFacts;
  readonly verified: boolean;
}

/** The variable `target` of guards. */
export class GuardTarget {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** The name, if it is a pod. */
  readonly pod: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly owner: GuardOwner | undefined;
  readonly node: GuardNode | undefined;
  readonly verified: boolean;

  constructor({ resource, namespace, name }: TargetNames, { pod, node, verified }: TargetFacts) {
    this.resource = resource;
    this.namespace = namespace;
    this.name = name;
    this.pod = resource === 'pods' ? name : '';
    this.labels = new Map(Object.entries(pod?.labels ?? {}));
    this.owner = pod?.owner ? new GuardOwner(pod.owner.kind, pod.owner.name) : undefined;
    this.node = pod?.node ? new GuardNode(pod.node, node?.labels) : undefined;
    this.verified = verified;
  }
}

/** How many actions a policy let through within the last hour, by what they have in common with this one. */
export interface Counts {
  readonly rule: number;
  readonly target: number;
  readonly namespace: number;
  readonly actionner: number;
}

/** The variable `counts` of guards. */
export class GuardCounts {
  readonly rule: bigint;
  readonly target: bigint;
  readonly namespace: bigint;
  readonly actionner: bigint;

  constructor({ rule, target, namespace, actionner }: Counts) {
    this.rule = BigInt(rule);
    this.target = BigInt(target);
    this.namespace = BigInt(namespace);
    this.actionner = BigInt(actionner);
  }
}

/** All variables of the expressions of guards. */
export interface GuardVariables {
  readonly event: ConditionEvent;
  readonly rule: GuardRule;
  readonly action: GuardAction;
  readonly target: GuardTarget;
  readonly now: Date;
  readonly counts: GuardCounts;
}

/** Members of the variables, with their CEL types. */
const MEMBERS = {
  Rule: { name: 'string' },
  Action: { name: 'string', actionner: 'string', destructive: 'bool', parameters: 'map<string, dyn>' },
  Owner: { kind: 'string', name: 'string' },
  Node: { name: 'string', labels: 'map<string, string>', control_plane: 'bool' },
  Target: {
    ...{ resource: 'string', namespace: 'string', name: 'string', pod: 'string', labels: 'map<string, string>' },
    ...{ owner: 'Owner', node: 'Node', verified: 'bool' },
  },
  Counts: { rule: 'int', target: 'int', namespace: 'int', actionner: 'int' },
} as const;

const VARIABLES = {
  rule: 'Rule',
  action: 'Action',
  target: 'Target',
  now: 'google.protobuf.Timestamp',
  counts: 'Counts',
} as const;

/** The variables of guards with their types, for the library. */
export const GUARD_VOCABULARY = EVENT_VOCABULARY.clone()
  .registerType('Rule', { ctor: GuardRule, fields: MEMBERS.Rule })
  .registerType('Action', { ctor: GuardAction, fields: MEMBERS.Action })
  .registerType('Owner', { ctor: GuardOwner, fields: MEMBERS.Owner })
  .registerType('Node', { ctor: GuardNode, fields: MEMBERS.Node })
  .registerType('Target', { ctor: GuardTarget, fields: MEMBERS.Target })
  .registerType('Counts', { ctor: GuardCounts, fields: MEMBERS.Counts });
for (const [name, type] of Object.entries(VARIABLES)) GUARD_VOCABULARY.registerVariable(name, type);

/** The names that can stand in an expression, for hints. */
export const GUARD_NAMES: readonly string[] = [
  ...['event', ...Object.keys(VARIABLES), ...Object.keys(EVENT_MEMBERS)],
  ...Object.values(MEMBERS).flatMap((members) => Object.keys(members)),
];

function celParameter(value: ParameterValue): CelValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(celParameter);
  return new Map(Object.entries(value).map(([key, inner]) => [key, celParameter(inner)]));
}
