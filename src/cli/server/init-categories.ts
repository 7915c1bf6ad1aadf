import type { Catalog } from '../../model/definition.ts';
import type { Api } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';
import type { StoredPolicy } from '../../model/journal.ts';
import { parseGuard } from '../../model/parsed-guard.ts';
import type { PlannedAction, PlannedRule } from '../../model/rule.ts';
import { TalonError } from '../../model/talon-error.ts';
import type { Platform } from '../platform.ts';
import { Refused } from '../refused.ts';
import type { Log } from './server-log.ts';

/**
 * Makes ready what actions, outputs and guards need, once each: what none uses is left alone, so that the server runs without a
 * cluster or a cloud then. What notifiers need is apart: what one of them lacks keeps nothing from acting.
 */
export class Categories {
  readonly #init: Platform['init'];
  readonly #catalog: Catalog;
  readonly #log: Log;
  readonly #ready = new Set<Api>();

  constructor(init: Platform['init'], catalog: Catalog, log: Log) {
    this.#init = init;
    this.#catalog = catalog;
    this.#log = log;
  }

  /** @throws Refused, after a log line for each category that is not to be had */
  async init({ rules, guards }: Pick<StoredPolicy, 'rules' | 'guards'>): Promise<void> {
    const refusals: TalonError[] = [];
    for (const api of this.#used(rules, guards)) {
      const refusal = this.#ready.has(api) ? undefined : await this.#initOne(api);
      if (refusal) refusals.push(refusal);
    }
    const [first] = refusals;
    if (first) throw new Refused('actionners', first.message, { cause: first });
  }

  /** What is not to be had is a log line. @param names of those that are told of what these rules do */
  async initNotifiers(names: Iterable<string>): Promise<void> {
    const doors = [...names].flatMap((name) => this.#catalog.notifiers.get(name)?.behaviour.uses ?? []);
    for (const api of new Set(doors.map((door) => DOORS[door].api))) {
      if (!this.#ready.has(api)) await this.#initOne(api);
    }
  }

  async #initOne(category: Api): Promise<TalonError | undefined> {
    const init = this.#init.get(category);
    if (!init) return undefined;
    try {
      await init();
      this.#ready.add(category);
      this.#log({ level: 'info', message: 'init', fields: { category, status: 'success' } });
      return undefined;
    } catch (error) {
      if (!(error instanceof TalonError)) throw error;
      this.#log({ level: 'error', message: 'init', fields: { category, status: 'failure', error: error.message } });
      return error;
    }
  }

  #used(rules: readonly PlannedRule[], guards: readonly GuardPolicy[]): ReadonlySet<Api> {
    const actions = rules.flatMap((rule) => rule.actions);
    const apis = actions.flatMap((action) => this.#apisOf(action));
    return new Set(guards.some(asksForTarget) ? [...apis, 'kubernetes' as const] : apis);
  }

  #apisOf({ actionner: id, output, additional_contexts }: PlannedAction): readonly Api[] {
    const actionner = this.#catalog.actionners.get(id);
    const stores = actionner?.artifact !== 'none' && output ? this.#catalog.outputs.get(output.target) : undefined;
    const doors = [...(actionner?.behaviour.uses ?? []), ...(stores?.behaviour.uses ?? [])];
    const looksUp = actionner?.usesContext && additional_contexts.includes('k8snode');
    return [...doors.map((door) => DOORS[door].api), ...(looksUp ? (['kubernetes'] as const) : [])];
  }
}

function asksForTarget(guard: GuardPolicy): boolean {
  return parseGuard(guard).needs !== 'none';
}
