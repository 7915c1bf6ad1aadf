import type { Door } from './capability.ts';
import { decodeParameters } from './decode-parameters.ts';
import type { Catalog, Output } from './definition.ts';
import { grants, LOOKUP_PRICES, permissions, reaches } from './doors.ts';
import type { CloudGrant, Grant, KubeGrant } from './grant.ts';
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
  const stored = actions.flatMap((action) => extraRightsOfOutput(action, catalog));
  return rightsOf(doors, [...lookupPrices(guards), ...contextPrices(actions, catalog), ...stored]);
}

/** What doors cost, and what else is paid. */
export function rightsOf(doors: readonly Door[], more: readonly Grant[] = []): Rights {
  return {
    kubernetes: grants(doors, more),
    aws: permissions(doors, 'aws', more),
    gcp: permissions(doors, 'gcp', more),
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

function doorsOfOutput(action: PlannedAction, catalog: Catalog): readonly Door[] {
  return outputOf(action, catalog)?.behaviour.uses ?? [];
}

function extraRightsOfOutput(action: PlannedAction, catalog: Catalog): readonly CloudGrant[] {
  const output = outputOf(action, catalog);
  const decoded = output && decodeParameters(output.parameters, action.output?.parameters ?? {});
  if (!output || !decoded?.ok) return [];
  const { extraRights = [] } = output.behaviour;
  return extraRights.filter((right) => right.isWanted(decoded.value)).map(({ grant }) => grant);
}

/** Undefined where the action makes nothing to store. */
function outputOf({ actionner: id, output }: PlannedAction, { actionners, outputs }: Catalog): Output | undefined {
  return output && actionners.get(id)?.artifact !== 'none' ? outputs.get(output.target) : undefined;
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
