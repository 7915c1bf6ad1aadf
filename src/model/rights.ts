import type { Door } from './capability.ts';
import { decodeParameters } from './decode-parameters.ts';
import type { Catalog } from './definition.ts';
import type { KubeGrant } from './door-row.ts';
import { grants, LOOKUP_PRICES, permissions, reaches } from './doors.ts';
import type { GuardPolicy } from './guard-policy.ts';
import { mostFacts, parseGuard } from './parsed-guard.ts';
import type { PlannedAction, PlannedRule } from './rule.ts';

/** What somebody may do: with all of it the rules can be carried out, and with less they cannot. */
export interface Rights {
  /** Of the API server. */
  readonly kubernetes: readonly KubeGrant[];
  /** Permissions as the clouds spell them. */
  readonly aws: readonly string[];
  readonly gcp: readonly string[];
  /** What must be reached or written, in words. */
  readonly reaches: readonly string[];
}

/** What rights are asked for. */
export interface RightsQuestion {
  readonly rules: readonly PlannedRule[];
  readonly guards: readonly GuardPolicy[];
  /** Notifiers that are told of the actions of all rules. */
  readonly notifiers?: readonly string[];
}

/** The least rights for these rules: what the doors cost that their actions open with their parameters, and what guards look up. */
export function leastRights({ rules, guards, notifiers = [] }: RightsQuestion, catalog: Catalog): Rights {
  const actions = rules.flatMap((rule) => rule.actions);
  const told = new Set([...notifiers, ...rules.flatMap((rule) => rule.notifiers)].map((name) => name.toLowerCase()));
  const doors = [
    ...actions.flatMap((action) => [...doorsOfAction(action, catalog), ...doorsOfOutput(action, catalog)]),
    ...[...told].flatMap((name) => catalog.notifiers.get(name)?.behaviour.uses ?? []),
  ];
  return rightsOf(doors, [...lookupPrices(guards), ...contextPrices(actions, catalog)]);
}

/** What doors cost, and what else is paid to the API server. */
export function rightsOf(doors: readonly Door[], more: readonly KubeGrant[] = []): Rights {
  return {
    kubernetes: grants(doors, more),
    aws: permissions(doors, 'aws'),
    gcp: permissions(doors, 'gcp'),
    reaches: reaches(doors),
  };
}

/** The doors that an action may open with its parameters. An unknown actionner opens none. */
export function doorsOfAction({ actionner: id, parameters }: PlannedAction, { actionners }: Catalog): readonly Door[] {
  const actionner = actionners.get(id);
  if (!actionner) return [];
  const { uses, opens } = actionner.behaviour;
  const decoded = decodeParameters(actionner.parameters, parameters);
  return opens && decoded.ok ? opens(decoded.value) : uses;
}

function doorsOfOutput({ actionner: id, output }: PlannedAction, catalog: Catalog): readonly Door[] {
  const keeps = output && catalog.actionners.get(id)?.artifact !== 'none';
  return (keeps && catalog.outputs.get(output.target)?.behaviour.uses) || [];
}

function lookupPrices(guards: readonly GuardPolicy[]): readonly KubeGrant[] {
  const needs = mostFacts(guards.map((guard) => parseGuard(guard).needs));
  if (needs === 'none') return [];
  return needs === 'pod' ? LOOKUP_PRICES.pod : [...LOOKUP_PRICES.pod, ...LOOKUP_PRICES.node];
}

/** Of the additional contexts only this one asks the API server. */
function contextPrices(actions: readonly PlannedAction[], { actionners }: Catalog): readonly KubeGrant[] {
  const asks = actions.some(
    ({ actionner, additional_contexts: names }) =>
      names.includes('k8snode') && actionners.get(actionner)?.usesContext === true,
  );
  return asks ? [...LOOKUP_PRICES.pod, ...LOOKUP_PRICES.node] : [];
}
