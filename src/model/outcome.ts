/** Flat facts about what was acted on (`pod`, `namespace`, ...): log fields, metric labels, notices. */
export type Objects = Readonly<Record<string, string>>;

/** Bytes that an actionner hands to an output: a handle to a spool file, never the bytes. */
export interface Artifact {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly mediaType: string;
}

/** What an actionner returns: it acted, or it decided not to and says why. It throws for a failure. */
export type ActionResult =
  | { readonly status: 'success'; readonly output: string; readonly objects: Objects; readonly artifact?: Artifact }
  | { readonly status: 'ignored'; readonly result: string; readonly objects: Objects };

/** The end of a step. `code` tells failures apart by cause; the pipeline reads it, people read `error`. */
export type Outcome =
  | ActionResult
  | { readonly status: 'failure'; readonly code: FailureCode; readonly error: string; readonly objects: Objects };

/**
 * - `missing-field`: the alert lacks what the actionner requires; nothing was tried
 * - `not-found`: the target of the alert does not exist
 * - `refused`: the other side said no (invalid, forbidden, conflict)
 * - `unreachable`: no answer: connection, time-out, throttling, server error
 * - `door`: the plug-in used a door that it may not use, or wrongly
 * - `bug`: the plug-in threw something else
 */
export type FailureCode = 'missing-field' | 'not-found' | 'refused' | 'unreachable' | 'door' | 'bug';
