/** A place in a source text. Lines and columns count from 1, columns in UTF-16 units; `length` may be 0. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type Severity = 'error' | 'warning';

/** The fields of the log line that Falco Talon prints for a finding (`rules check`, tag `rules`). */
export interface RulesRecord {
  readonly error: string;
  readonly rule?: string;
  readonly action?: string;
  readonly actionner?: string;
  readonly output_target?: string;
}

/** What the compiler says to the author of rules. Bad input is never thrown, always one of these. */
export interface Diagnostic {
  /** Stable code, `T` and four digits; listed in the generated page of errors. Never reused. */
  readonly code: string;
  readonly severity: Severity;
  /** Lower-case, no full stop, the user's words in backticks. */
  readonly message: string;
  /** Absent where no text is to blame, such as a missing file. */
  readonly place?: Place;
  readonly hint?: string;
  /** Present where Falco Talon prints a line of its own for the same finding. */
  readonly record?: RulesRecord;
}
