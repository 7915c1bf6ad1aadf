/** A value of a `parameters` map after YAML typing. Dates are texts, keys of maps are texts. */
export type ParameterValue = string | number | boolean | null | readonly ParameterValue[] | ParameterMap;
export interface ParameterMap {
  readonly [name: string]: ParameterValue;
}

/** Where an artifact goes: the id of an output and the parameters it checks for itself. */
export interface OutputTarget {
  readonly target: string;
  readonly parameters: ParameterMap;
}

/** How often an action is tried when the other side is busy or somebody else changes the object, as the rules file says. */
export interface RetrySettings {
  /** Tries in all; 1: no retry. */
  readonly attempts?: number;
  /** Seconds before the second try; doubled for each one after it, with jitter. */
  readonly backoff?: number;
}

/**
 * One action of a rule as the bundle carries it: references resolved, flow settings with their defaults filled in.
 */
export interface PlannedAction {
  readonly action: string;
  readonly description: string;
  /** Id of the actionner, `category:name`. */
  readonly actionner: string;
  /** Whether the next action of the rule runs after this one: the file's setting, or else the actionner's default. */
  readonly continue: boolean;
  readonly ignore_errors: boolean;
  /** Merged, as the rules file writes them; the actionner's schema decodes them where they are used. Null: none given. */
  readonly parameters: ParameterMap | null;
  /** Contents of the files that parameters name, by parameter: a bundle needs nothing beside it. */
  readonly files?: Readonly<Record<string, string>>;
  readonly additional_contexts: readonly string[];
  readonly output: OutputTarget | null;
  /** Seconds that one try of the action may take, where the rules file says so. */
  readonly timeout?: number;
  readonly retry?: RetrySettings;
  /** `retry`: made again when the server ended in the middle of an effect of it, even where that may do it twice. */
  readonly on_interrupt?: 'retry' | 'fail';
  /** Settings that the rules file gives itself; Talon's context shows only those. */
  readonly written: { readonly continue?: boolean; readonly ignore_errors?: boolean };
}

/** One matched rule of a plan: everything that the runtime needs to run it. */
export interface PlannedRule {
  readonly rule: string;
  readonly description: string;
  /** false: no later matching rule is run. */
  readonly continue: boolean;
  readonly dry_run: boolean;
  readonly notifiers: readonly string[];
  readonly actions: readonly PlannedAction[];
  readonly written: { readonly continue?: boolean; readonly dry_run?: boolean };
}

/** One comparison of `output_fields`: `k=v` holds when the field is present and equal, `k!=v` in all other cases. */
export interface FieldTerm {
  readonly key: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/**
 * When a rule applies: all of the criteria must hold, an empty one always holds. Both engines, the policy module and
 * the plain interpreter, start from this.
 */
export interface MatchTerms {
  /** Names of Falco rules, any of them. Empty: every event. */
  readonly rules: readonly string[];
  /** The text as written, for people, and the set as bits: bit n accepts priority number n. */
  readonly priority: { readonly text: string; readonly accepts: number };
  /** Empty: every source. */
  readonly source: string;
  /** Any of these lists, of a list all tags. Empty: every event. */
  readonly tags: readonly (readonly string[])[];
  /** Any of these lists, of a list all terms. Empty: every event. */
  readonly output_fields: readonly (readonly FieldTerm[])[];
  /** A CEL expression (an extension of Talon's language), or empty. */
  readonly condition: string;
}

/** A rule as the bundle carries it. */
export interface PolicyRule extends PlannedRule {
  readonly match: MatchTerms;
}

/** The answer of the entrypoint `talon/plan`: what to do for one alert, in order. */
export interface Plan {
  /** Revision of the bundle that made it. */
  readonly revision: string;
  readonly rules: readonly PlannedRule[];
}
