import type { z } from 'zod';
import type { Door, Doors, PodRef } from './capability.ts';
import type { FalcoEvent } from './falco-event.ts';
import type { ActionResult } from './outcome.ts';
import type { ParameterSchema } from './parameters.ts';

/** What the broker can mint for a step before the plug-in runs. */
export interface Targets {
  /** The pod that the alert names; present for actionners that require the pod fields. */
  readonly pod?: PodRef;
}

/** The pod of the step, for actionners that require its fields: the broker runs none of them without it. */
export function podOf(targets: Targets): PodRef {
  if (!targets.pod) throw new Error('the actionner uses a pod, but does not require its fields');
  return targets.pod;
}

/** What an actionner gets: no process, no network, no clock; only its doors. */
export interface RunArguments<P, U extends Door> {
  readonly event: FalcoEvent;
  readonly parameters: P;
  readonly targets: Targets;
  readonly use: Pick<Doors, U>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Kinds of objects by which plans are kept in order: those that an alert names, or the owner of its pod. */
export type WrittenObject = 'pod' | 'owner' | 'node' | 'object';

/** The part of a plug-in that acts: the doors that it lists, and the code that may use no others. */
export interface Behaviour<P, U extends Door> {
  /** Whether an effect that was interrupted may be made again. */
  readonly idempotent: boolean;
  readonly uses: readonly U[];
  /** Seconds that one try may take when the rules file does not say. */
  readonly deadline: number;
  /** Seconds that the action takes by its own parameters (a duration, a wait); the deadline is never below that. */
  lasts?(parameters: P): number;
  /** What it writes: actions on one object keep the order of their alerts. */
  writes(parameters: P): readonly WrittenObject[];
  /** A method, so that actionners with different parameters fit into one catalog. */
  run(arguments_: RunArguments<P, U>): Promise<ActionResult>;
}

/** A required field of the alert: any of the keys of a group will do, all groups are needed. */
export type RequiredFields = readonly (readonly string[])[];

/**
 * An actionner: one declaration from which lists, documentation, the schema of rules files, rights and sweep tests are
 * derived. Without `behaviour` the language knows it and the server refuses rules that use it.
 */
export interface Actionner<P extends ParameterSchema = ParameterSchema, U extends Door = Door> {
  /** `category:name`, as rules files write it. */
  readonly id: string;
  readonly description: string;
  /** Falco sources that it is meant for. Information only. */
  readonly sources: readonly string[];
  /** Whether the next action runs when the rules file does not say. */
  readonly continue: boolean;
  /** Whether it ends, cuts off or changes what runs: a rule that does this for every alert gets a warning. */
  readonly destructive?: true;
  /** Whether `additional_contexts` are fetched for it. */
  readonly usesContext: boolean;
  readonly artifact: 'none' | 'optional' | 'required';
  readonly requires: RequiredFields;
  readonly parameters: P;
  /** A whole action in YAML that compiles. */
  readonly example: string;
  readonly behaviour?: Behaviour<z.output<P>, U>;
}

/** An artifact store. */
export interface Output<P extends ParameterSchema = ParameterSchema> {
  readonly id: string;
  readonly description: string;
  readonly parameters: P;
  readonly example: string;
}

/** A receiver of notices. Its settings stand in the configuration, under `notifiers.<id>`. */
export interface Notifier<P extends ParameterSchema = ParameterSchema> {
  readonly id: string;
  readonly description: string;
  readonly settings: P;
  readonly example: string;
}

/** All plug-ins by id, in the order in which lists show them. Passed as an argument, never imported. */
export interface Catalog {
  readonly actionners: ReadonlyMap<string, Actionner>;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly notifiers: ReadonlyMap<string, Notifier>;
}

export function defineActionner<P extends ParameterSchema, const U extends Door>(
  actionner: Actionner<P, U>,
): Actionner<P, U> {
  return actionner;
}

export function defineOutput<P extends ParameterSchema>(output: Output<P>): Output<P> {
  return output;
}

export function defineNotifier<P extends ParameterSchema>(notifier: Notifier<P>): Notifier<P> {
  return notifier;
}
