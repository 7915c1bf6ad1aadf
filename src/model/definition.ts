import type { z } from 'zod';
import type { Door, Doors } from './capability.ts';
import type { FalcoEvent } from './falco-event.ts';
import type { CloudGrant } from './grant.ts';
import type { Notice } from './notice.ts';
import type { ActionResult } from './outcome.ts';
import type { ParameterSchema } from './parameters.ts';
import type {
  ArtifactRef,
  EndpointRef,
  FunctionRef,
  MailboxRef,
  ObjectRef,
  PodRef,
  StoreRef,
  SubjectRef,
} from './references.ts';
import type { EndpointAddress, MailboxAddress, StoreAddress } from './targets.ts';

/** What the broker mints for an action before the plug-in runs. */
export interface Targets {
  /** The pod that the alert names; present for actionners that require the pod fields. */
  readonly pod?: PodRef;
  /** The audited object; present for actionners that require its fields. */
  readonly object?: ObjectRef;
  /** What the parameters lead to, as `reach` has it. */
  readonly endpoint?: EndpointRef;
  readonly called?: FunctionRef;
}

/**
 * A target of the step: the pod for actionners that require its fields, the endpoint for those that reach one. The broker runs
 * none of them without it.
 */
export function targetOf<K extends string, T>(targets: Readonly<Partial<Record<K, T>>>, kind: K): T {
  const target = targets[kind];
  if (!target) throw new Error(`the plug-in uses a target that it does not ask for: ${kind}`);
  return target;
}

/** The pod of the step, for actionners that require its fields. */
export function podOf(targets: Targets): PodRef {
  return targetOf<'pod', PodRef>(targets, 'pod');
}

/**
 * What parameters or settings lead to outside of Kubernetes. Read where the secrets are, so that the code of the plug-in gets
 * references alone.
 */
export interface Reach {
  readonly endpoint?: EndpointAddress;
  readonly called?: {
    readonly name: string;
    readonly location: string;
    /** Output fields that it is told of; all where this is not said. */
    readonly fields?: readonly string[] | undefined;
  };
  readonly store?: StoreAddress;
  readonly mailbox?: MailboxAddress;
}

/** What an actionner gets: no process, no network, no clock; only its doors. */
export interface RunArguments<P, U extends Door> {
  readonly event: FalcoEvent;
  /** Decoded, with the tokens of the alert in those that take some. */
  readonly parameters: P;
  readonly targets: Targets;
  /** Whether the action has an output, to which an artifact would go. */
  readonly keeps: boolean;
  /** Seconds after which this try is over, for what goes on elsewhere and has to end by itself. */
  readonly seconds?: number;
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
  /** Those of them that it may open with these parameters; all where this is not said. */
  opens?(parameters: P): readonly U[];
  /** Seconds that one try may take when the rules file does not say. */
  readonly deadline: number;
  /** Seconds that the action takes by its own parameters (a duration, a wait); the deadline is never below that. */
  lasts?(parameters: P): number;
  /** What it writes: actions on one object keep the order of their alerts. */
  writes(parameters: P): readonly WrittenObject[];
  /** What the parameters lead to. */
  reach?(parameters: P): Reach;
  /** A method, so that actionners with different parameters fit into one catalog. */
  run(arguments_: RunArguments<P, U>): Promise<ActionResult>;
}

/** A required field of the alert: any of the keys of a group will do, all groups are needed. */
export type RequiredFields = readonly (readonly string[])[];

/**
 * An actionner: one declaration from which lists, documentation, the schema of rules files, rights and sweep tests are
 * derived.
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
  readonly behaviour: Behaviour<z.output<P>, U>;
}

/** What an output gets to store an artifact. */
export interface StoreArguments<P, U extends Door> {
  readonly parameters: P;
  readonly artifact: ArtifactRef;
  readonly store: StoreRef;
  /** By which the artifact is to be found; the prefix of the store comes before it. */
  readonly key: string;
  /** Facts about rule, action, alert and content, to be stored beside it where that is possible. */
  readonly facts: Readonly<Record<string, string>>;
  readonly use: Pick<Doors, U>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The part of an output that acts. To store the same artifact again under the same key does no harm. */
export interface StoreBehaviour<P, U extends Door> {
  readonly uses: readonly U[];
  /** Seconds that one try may take. */
  readonly deadline: number;
  /** Where the parameters lead to. */
  reach(parameters: P): Reach & { readonly store: StoreAddress };
  /** What must be allowed beside the prices of its doors. */
  readonly extraRights?: readonly ExtraRight<P>[];
  store(arguments_: StoreArguments<P, U>): Promise<ActionResult>;
}

/** A permission that only some values of parameters need. */
export interface ExtraRight<P> {
  readonly grant: CloudGrant;
  /** Those values in words, as `keep_existing`. */
  readonly wantedBy: string;
  isWanted(parameters: P): boolean;
}

/** An artifact store. */
export interface Output<P extends ParameterSchema = ParameterSchema, U extends Door = Door> {
  readonly id: string;
  readonly description: string;
  readonly parameters: P;
  readonly example: string;
  readonly behaviour: StoreBehaviour<z.output<P>, U>;
}

/** What a notifier gets to send a notice. */
export interface SendArguments<S, U extends Door> {
  /** Without those that are secret. */
  readonly settings: S;
  readonly notice: Notice;
  readonly targets: {
    readonly endpoint?: EndpointRef;
    readonly mailbox?: MailboxRef;
    /** What was acted on. */
    readonly subject: SubjectRef;
  };
  /** Whether none was sent yet since the start of the server: what has to be prepared once, can be now. */
  readonly first: boolean;
  readonly use: Pick<Doors, U>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The part of a notifier that acts. It throws for a notice that was not taken. */
export interface SendBehaviour<S, U extends Door> {
  readonly uses: readonly U[];
  /** Seconds that one try may take. */
  readonly deadline: number;
  /** What the settings lead to. */
  reach?(settings: S): Reach;
  send(arguments_: SendArguments<S, U>): Promise<void>;
}

/** A receiver of notices. Its settings stand in the configuration, under `notifiers.<id>`. */
export interface Notifier<P extends ParameterSchema = ParameterSchema, U extends Door = Door> {
  readonly id: string;
  readonly description: string;
  readonly settings: P;
  readonly example: string;
  readonly behaviour: SendBehaviour<z.output<P>, U>;
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

export function defineOutput<P extends ParameterSchema, const U extends Door>(output: Output<P, U>): Output<P, U> {
  return output;
}

export function defineNotifier<P extends ParameterSchema, const U extends Door>(
  notifier: Notifier<P, U>,
): Notifier<P, U> {
  return notifier;
}
