import type { GuardPolicy } from '../model/guard-policy.ts';
import type { Journal, StoredPolicy } from '../model/journal.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { Guard } from './guards/guard.ts';
import type { Policy } from './policy.ts';

export interface PoliciesOptions {
  readonly journal: Pick<Journal, 'keepPolicy' | 'policy'>;
  /** @throws for policies that this version cannot read */
  readonly guardOf: (policies: readonly GuardPolicy[]) => Guard;
  /** Makes ready what the actions and guards of an earlier revision need. */
  readonly prepare: (policy: StoredPolicy) => Promise<void>;
}

/** The policy by which alerts are judged now, and those of plans that were made with earlier ones. */
export class Policies {
  readonly #options: PoliciesOptions;
  #active: Policy | undefined;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /** Revision of the active policy; empty before there is one. */
  get revision(): string {
    return this.#active?.revision ?? '';
  }

  /** Makes a policy, of an engine for example, the active one, once the journal has it: plans that refer to it may come from then on. */
  async activate(loaded: StoredPolicy): Promise<Policy> {
    const policy = this.#make(loaded);
    await this.#options.journal.keepPolicy(withoutMatches(loaded));
    this.#active = policy;
    return policy;
  }

  /** The policy of a revision: the active one, or what the journal keeps; undefined when it keeps none. */
  async of(revision: string): Promise<Policy | undefined> {
    if (this.#active?.revision === revision) return this.#active;
    const stored = await this.#options.journal.policy(revision);
    if (!stored) return undefined;
    await this.#options.prepare(stored);
    return this.#make(stored);
  }

  #make({ revision, rules, guards }: StoredPolicy): Policy {
    return { revision, rules, guard: this.#options.guardOf(guards) };
  }
}

/** How alerts are matched is in the module of a bundle, and of no use to its plans. */
function withoutMatches({ revision, rules, guards }: StoredPolicy): StoredPolicy {
  return { revision, rules: rules.map(({ match: _, ...rule }: PlannedRule & { match?: unknown }) => rule), guards };
}
