import type { ArtifactRef } from './references.ts';

/** Flat facts about what was acted on (`pod`, `namespace`, ...): log fields, metric labels, notices. */
export type Objects = Readonly<Record<string, string>>;

/** Bytes that an actionner hands to an output: a handle to a spool file, never the bytes. */
export interface Artifact {
  /** By which the spool knows the file. Plug-ins have a reference instead. */
  readonly handle: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly mediaType: string;
}

/** What an actionner returns: it acted, or it decided not to and says why. It throws for a failure. */
export type ActionResult<A = ArtifactRef> =
  | { readonly status: 'success'; readonly output: string; readonly objects: Objects; readonly artifact?: A }
  | { readonly status: 'ignored'; readonly result: string; readonly objects: Objects };

/** The end of an action that was tried. `code` tells failures apart by cause; the pipeline reads it, people read `error`. */
export type Outcome =
  | ActionResult<Artifact>
  | {
      readonly status: 'failure';
      readonly code: FailureCode;
      readonly error: string;
      readonly objects: Objects;
      /** Of `busy`: milliseconds after which the other side wants to be asked again, where it says so. */
      readonly retryAfterMs?: number;
    };

/**
 * The end of an action that a guard kept from being tried: for good, or until an operator lets it go on (`talon journal
 * retry`) because a guard could not decide or its budget is spent.
 */
export interface Stop {
  readonly status: 'denied' | 'parked';
  /** Name of the guard policy. */
  readonly policy: string;
  readonly reason: string;
  readonly objects: Objects;
}

/** How a step of a plan ended. */
export type StepEnd = Outcome | Stop;

/**
 * - `missing-field`: the alert lacks what the actionner requires; nothing was tried
 * - `not-found`: the target of the alert does not exist
 * - `refused`: the other side said no (invalid, forbidden)
 * - `conflict`: the other side says that somebody else changed the object meanwhile
 * - `busy`: the other side answered that it cannot at the moment: throttling, server error
 * - `unreachable`: no connection, or no answer
 * - `deadline`: the action's time was over
 * - `limit`: the plug-in used more memory, time in one turn or calls than it may
 * - `interrupted`: the server, or the node that was acted on, ended while an effect was under way; nobody knows whether it happened
 * - `door`: the plug-in used a door that it may not use, or wrongly
 * - `bug`: the plug-in threw something else
 */
export type FailureCode =
  | 'missing-field'
  | 'not-found'
  | 'refused'
  | 'conflict'
  | 'busy'
  | 'unreachable'
  | 'deadline'
  | 'limit'
  | 'interrupted'
  | 'door'
  | 'bug';
