/** Whether a guard stops actions, or only says what it would have stopped. */
export type GuardMode = 'enforce' | 'monitor';

/** A guard policy as the bundle carries it. Positions of its source are gone: it was checked when it was compiled. */
export interface GuardPolicy {
  readonly policy: string;
  readonly description: string;
  readonly mode: GuardMode;
  /** Ids of actionners, `category:*`, or `destructive` for all that end or cut off what runs. Empty: every action. */
  readonly actionners: readonly string[];
  readonly deny: readonly GuardDenial[];
  readonly budgets: readonly GuardBudget[];
}

/** Stops the action when the CEL expression is true; a failed evaluation parks the plan. */
export interface GuardDenial {
  readonly expression: string;
  /** Says to people why, without values of the alert. */
  readonly message: string;
}

/** What actions are counted by, one or more: two actions share a budget when all of these are equal. */
export const BUDGET_KEYS = ['rule', 'target', 'namespace', 'actionner'] as const;
export type BudgetKey = (typeof BUDGET_KEYS)[number];

/** Uses of budgets are kept for so long. */
export const LONGEST_WINDOW_SECONDS = 86_400;

/** At most `max` actions within any `window` seconds (up to {@link LONGEST_WINDOW_SECONDS}), for each value of `per`. Empty `per`: all together. */
export interface GuardBudget {
  readonly max: number;
  readonly window: number;
  readonly per: readonly BudgetKey[];
}
