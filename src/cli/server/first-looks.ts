import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Catalog } from '../../model/definition.ts';
import type { LogRecord } from '../../model/log-record.ts';
import { parameterFacts } from '../../model/parameters.ts';
import type { OutputTarget, PlannedRule } from '../../model/rule.ts';
import type { StoreTarget } from '../../model/targets.ts';
import type { Platform } from '../platform.ts';
import { warning } from './start-checks.ts';

/** Milliseconds for all of them: nobody waits. */
const PATIENCE = 30_000;

/**
 * Looks whether what the rules count on is there: buckets and folders of outputs, what requests to endpoints need, and the kinds
 * of network policies that an API server need not know. It may still come, so that what is missing is a warning; the first
 * incident would be a bad time to hear of it. Asks for nothing that needs a right: whoever refuses to answer is no reason to warn.
 */
export async function firstLooks(
  rules: readonly PlannedRule[],
  catalog: Catalog,
  {
    adapters,
    policyProblem,
    endpointProblem,
  }: Pick<Platform, 'policyProblem' | 'endpointProblem'> & { readonly adapters: Checks },
): Promise<readonly LogRecord[]> {
  const signal = AbortSignal.timeout(PATIENCE);
  const actions = rules.flatMap((rule) => rule.actions);
  const doors = new Set(actions.flatMap(({ actionner }) => catalog.actionners.get(actionner)?.behaviour.uses ?? []));
  const looks = [
    ...storesOf(rules, catalog).map(async ({ target, store }) => {
      const error = await problemOf(adapters['stores.check'](store, signal));
      return error === undefined ? [] : [line(store.category, error, { output_target: target })];
    }),
    ...[...doors].map(async (door) => {
      const error = await policyProblem(door, signal).catch(() => undefined);
      return error === undefined ? [] : [line('kubernetes', error)];
    }),
  ];
  return [...endpointLines(rules, catalog, endpointProblem), ...(await Promise.all(looks)).flat()];
}

function endpointLines(
  rules: readonly PlannedRule[],
  { actionners }: Catalog,
  problemOf: Platform['endpointProblem'],
): readonly LogRecord[] {
  return rules.flatMap(({ rule, actions }) =>
    actions.flatMap(({ action, actionner: id, parameters }) => {
      const actionner = actionners.get(id);
      const decoded = actionner && decodeParameters(actionner.parameters, parameters);
      const endpoint = decoded?.ok ? actionner?.behaviour.reach?.(decoded.value).endpoint : undefined;
      const error = endpoint && problemOf(endpoint);
      return error === undefined ? [] : [line(id.split(':')[0] ?? '', error, { rule, action })];
    }),
  );
}

type Checks = Pick<Platform['adapters'], 'stores.check'>;

interface NamedStore {
  readonly target: string;
  readonly store: StoreTarget;
}

/** The stores that are known before any alert is, each once. */
function storesOf(rules: readonly PlannedRule[], catalog: Catalog): readonly NamedStore[] {
  const found = new Map<string, NamedStore>();
  for (const { actionner, output } of rules.flatMap((rule) => rule.actions)) {
    const stores = catalog.actionners.get(actionner)?.artifact !== 'none';
    const store = output && stores ? storeOf(output, catalog) : undefined;
    if (output && store) found.set(JSON.stringify(store), { target: output.target, store });
  }
  return [...found.values()];
}

/** Undefined where values of the alert are a part of its name. */
function storeOf({ target, parameters }: OutputTarget, catalog: Catalog): StoreTarget | undefined {
  const output = catalog.outputs.get(target);
  const decoded = output && decodeParameters(output.parameters, parameters);
  if (!output || !decoded?.ok) return undefined;
  const expanded = Object.entries(output.parameters.shape).filter(([, field]) => parameterFacts(field).expands);
  if (expanded.some(([name]) => String(decoded.value[name]).includes('$'))) return undefined;
  return { kind: 'store', ...output.behaviour.reach(decoded.value).store };
}

function problemOf(look: Promise<unknown>): Promise<string | undefined> {
  return look.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

function line(
  category: string,
  error: string,
  fields: { readonly output_target?: string; readonly rule?: string; readonly action?: string } = {},
): LogRecord {
  return warning('init', { category, ...fields, status: 'failure', error });
}
