import type { Catalog } from '../model/definition.ts';
import { DOORS } from '../model/doors.ts';
import type { GuardPolicy } from '../model/guard-policy.ts';
import type { StoredPolicy } from '../model/journal.ts';
import { parseGuard } from '../model/parsed-guard.ts';
import type { PlannedRule } from '../model/rule.ts';
import { TalonError } from '../model/talon-error.ts';
import type { KubeAdapters } from '../platform/kube/kube-adapters.ts';
import { Refused } from './refused.ts';
import type { Log } from './server-log.ts';

const KUBERNETES = 'kubernetes';

/** Makes ready what actions and guards need, once each: what none uses is left alone, so that the server runs without a cluster then. */
export class Categories {
  readonly #kube: Pick<KubeAdapters, 'init'>;
  readonly #catalog: Catalog;
  readonly #log: Log;
  #kubeReady = false;

  constructor(kube: Pick<KubeAdapters, 'init'>, catalog: Catalog, log: Log) {
    this.#kube = kube;
    this.#catalog = catalog;
    this.#log = log;
  }

  /** @throws Refused, after a log line that names the category */
  async init({ rules, guards }: Pick<StoredPolicy, 'rules' | 'guards'>): Promise<void> {
    if (this.#kubeReady || !(this.#useKube(rules) || guards.some(asksForTarget))) return;
    try {
      await this.#kube.init();
      this.#kubeReady = true;
      this.#log({ level: 'info', message: 'init', fields: { category: KUBERNETES, status: 'success' } });
    } catch (error) {
      if (!(error instanceof TalonError)) throw error;
      const fields = { category: KUBERNETES, status: 'failure', error: error.message };
      this.#log({ level: 'error', message: 'init', fields });
      throw new Refused('actionners', error.message, { cause: error });
    }
  }

  #useKube(rules: readonly PlannedRule[]): boolean {
    const used = new Set(rules.flatMap(({ actions }) => actions.map(({ actionner }) => actionner)));
    const doors = [...used].flatMap((id) => this.#catalog.actionners.get(id)?.behaviour?.uses ?? []);
    return doors.some((door) => DOORS[door].api === KUBERNETES);
  }
}

function asksForTarget(guard: GuardPolicy): boolean {
  return parseGuard(guard).needs !== 'none';
}
