import type { Parameters } from '../../compiler/blocks.ts';
import type { Place } from '../../model/diagnostic.ts';

/** A `*.test.yaml` file after reading: named cases for one set of rules files. */
export interface TestFile {
  readonly path: string;
  /** The rules files that it names, resolved against its folder. Absent: those of the command line. */
  readonly rules?: readonly string[];
  readonly cases: readonly TestCase[];
}

/** One case: an alert for the rules, or a rules text of its own, and what must come of it. */
export interface TestCase {
  readonly name: string;
  /** Where the case stands, for reports. */
  readonly place: Place;
  /** The body of the alert. Absent for a case about a rules text alone. */
  readonly event?: Uint8Array;
  /** Rules of this case only, in place of the rules files. */
  readonly rulesText?: string;
  readonly expect: Expectation;
}

/** Whatever is absent is not looked at. */
export interface Expectation {
  /** Names of the matching rules, all of them, in order. */
  readonly rules?: readonly string[];
  /** All planned actions of all matching rules, in order. */
  readonly plan?: readonly ExpectedAction[];
  /** All findings of the compiler, in order. */
  readonly diagnostics?: readonly ExpectedDiagnostic[];
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
