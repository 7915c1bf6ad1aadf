import type { Parameters } from '../../compiler/blocks.ts';
import type { Place } from '../../model/diagnostic.ts';
import type { ParameterMap } from '../../model/rule.ts';
import type { NodeFacts, PodFacts } from '../../model/target-facts.ts';

/** A `*.test.yaml` file after reading: named cases for one set of files. */
export interface TestFile {
  readonly path: string;
  /** The rules files that it names, resolved against its folder. Absent: those of the command line. */
  readonly rules?: readonly string[];
  /** The files of guard policies, likewise. */
  readonly policies?: readonly string[];
  readonly cases: readonly TestCase[];
}

/** One case: an alert for the rules or an action for the policies, or a text of its own, and what must come of it. */
export interface TestCase {
  readonly name: string;
  /** Where the case stands, for reports. */
  readonly place: Place;
  /** The body of the alert. Absent for a case about a rules text alone. */
  readonly event?: Uint8Array;
  /** Rules of this case only, in place of the rules files. */
  readonly rulesText?: string;
  /** Guard policies of this case only. */
  readonly policiesText?: string;
  /** What the guards are asked about. */
  readonly guarded?: GuardedAction;
  readonly expect: Expectation;
}

/** An action that guards are asked about, and what they find. */
export interface GuardedAction {
  readonly rule: string;
  readonly action: string;
  readonly actionner: string;
  readonly parameters: ParameterMap | null;
  /** What the API server says of the pod that the alert names. */
  readonly pod: Omit<PodFacts, 'namespace' | 'name'>;
  readonly node: NodeFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly used: readonly EarlierUse[];
}

/** Actions that guards let through before; what is absent is as in the case itself. */
export interface EarlierUse {
  /** Seconds. */
  readonly ago: number;
  readonly times: number;
  readonly rule?: string;
  readonly actionner?: string;
  readonly namespace?: string;
  readonly pod?: string;
}

/** Whatever is absent is not looked at. */
export interface Expectation {
  /** Names of the matching rules, all of them, in order. */
  readonly rules?: readonly string[];
  /** All planned actions of all matching rules, in order. */
  readonly plan?: readonly ExpectedAction[];
  /** All findings of the compiler, in order. */
  readonly diagnostics?: readonly ExpectedDiagnostic[];
  readonly verdict?: ExpectedVerdict;
}

/** What the guards must say. */
export interface ExpectedVerdict {
  readonly kind?: 'allowed' | 'denied' | 'parked';
  /** The policy that stops the action. */
  readonly policy?: string;
  /** A part of the reason. */
  readonly reason?: string;
  /** The policies that would have stopped it if they did not only watch, all of them, in order. */
  readonly monitored?: readonly string[];
}

/** What one planned action must be like. */
export interface ExpectedAction {
  readonly rule?: string;
  readonly action?: string;
  readonly actionner?: string;
  readonly dry_run?: boolean;
  /** These parameters must be there and equal; others may be there too. */
  readonly parameters?: Parameters;
}

export interface ExpectedDiagnostic {
  readonly code?: string;
  readonly severity?: string;
  /** A part of the message. */
  readonly message?: string;
  readonly line?: number;
  readonly column?: number;
}
