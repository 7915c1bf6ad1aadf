import type { Spot } from './source.ts';
import type { MapEntry, ScalarNode } from './yaml-node.ts';

/** Parameters by name. Keys and values keep their places; a null is kept as one, since it says "not set". */
export type Parameters = ReadonlyMap<string, MapEntry>;

/** Where an artifact goes, as written. Without a target it counts as absent. */
export interface OutputBlock {
  readonly spot: Spot;
  readonly target: ScalarNode | undefined;
  /** Undefined where the key is missing or null. */
  readonly parameters: Parameters | undefined;
}

/** How often an action is tried, as written. */
export interface RetryBlock {
  readonly attempts: ScalarNode | undefined;
  readonly backoff: ScalarNode | undefined;
}

/** An action block, or an item of `actions`: they have the same keys. Absent, null and unset are the same. */
export interface ActionBlock {
  readonly spot: Spot;
  readonly action: ScalarNode | undefined;
  readonly description: ScalarNode | undefined;
  readonly actionner: ScalarNode | undefined;
  readonly continue: ScalarNode | undefined;
  readonly ignore_errors: ScalarNode | undefined;
  readonly parameters: Parameters | undefined;
  readonly additional_contexts: readonly ScalarNode[];
  readonly output: OutputBlock | undefined;
  /** A duration. This and the next two are extensions of ours. */
  readonly timeout: ScalarNode | undefined;
  readonly retry: RetryBlock | undefined;
  readonly on_interrupt: ScalarNode | undefined;
}

export interface MatchBlock {
  readonly rules: readonly ScalarNode[];
  readonly priority: ScalarNode | undefined;
  readonly source: ScalarNode | undefined;
  readonly tags: readonly ScalarNode[];
  readonly output_fields: readonly ScalarNode[];
  /** A CEL expression, an extension of ours. */
  readonly condition: ScalarNode | undefined;
}

export interface RuleBlock {
  readonly spot: Spot;
  readonly rule: ScalarNode;
  readonly description: ScalarNode | undefined;
  readonly match: MatchBlock;
  readonly continue: ScalarNode | undefined;
  readonly dry_run: ScalarNode | undefined;
  readonly notifiers: readonly ScalarNode[];
  readonly actions: readonly ActionBlock[];
}

/** Everything that the files say, in their order. */
export interface Blocks {
  readonly actions: readonly ActionBlock[];
  readonly rules: readonly RuleBlock[];
}

/** The text of an optional scalar; an absent one is empty. */
export function textOf(node: ScalarNode | undefined): string {
  return node?.text ?? '';
}

/** An output without a target counts as none. */
export function presentOutput(output: OutputBlock | undefined): OutputBlock | undefined {
  return output?.target?.text ? output : undefined;
}

/** A denial of a guard policy, as written. */
export interface DenialBlock {
  readonly spot: Spot;
  readonly expression: ScalarNode | undefined;
  readonly message: ScalarNode | undefined;
}

/** A budget of a guard policy, as written. */
export interface BudgetBlock {
  readonly spot: Spot;
  readonly max: ScalarNode | undefined;
  readonly window: ScalarNode | undefined;
  /** Undefined where the key is missing, null or no list. */
  readonly per: readonly ScalarNode[] | undefined;
}

export interface PolicyBlock {
  /** The key of its name. */
  readonly spot: Spot;
  readonly policy: ScalarNode | undefined;
  readonly description: ScalarNode | undefined;
  readonly mode: ScalarNode | undefined;
  /** Undefined where the key is missing, null or no list. */
  readonly actionners: readonly ScalarNode[] | undefined;
  readonly deny: readonly DenialBlock[];
  readonly budgets: readonly BudgetBlock[];
}
