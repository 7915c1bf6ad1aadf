import type { Door, Doors, LabelChanges } from './capability.ts';
import type { Grant } from './grant.ts';
import type { ArtifactRef, Ref } from './references.ts';
import type { RefKinds, TargetKind, TargetKinds } from './targets.ts';

/** The same value with its references resolved. */
type Resolved<T> =
  T extends Ref<infer K extends TargetKind>
    ? TargetKinds[K]
    : T extends object
      ? { readonly [K in keyof T]: Resolved<T[K]> }
      : T;
type ResolvedAll<T extends readonly unknown[]> = { [I in keyof T]: Resolved<T[I]> };
type Arguments<D extends Door> = ResolvedAll<Parameters<Doors[D]>>;
type Answer<D extends Door> = Awaited<ReturnType<Doors[D]>>;
/** What an adapter answers. */
export type Found<D extends Door> = Resolved<Answer<D>>;

/**
 * What is behind the doors. An adapter gets resolved targets and a signal that ends with the step; it has time-outs of
 * its own and throws a DoorError. The target objects live as long as their step: what an adapter learnt of one may be
 * kept with it.
 */
export type Adapters = {
  readonly [D in Door]: (...given: [...Arguments<D>, signal: AbortSignal]) => Promise<Found<D>>;
};

/** Those adapters whose doors begin with these words. */
export type AdaptersOf<P extends string> = Pick<Adapters, Extract<Door, `${P}.${string}`>>;

/** Reads the arguments that a plug-in gave; throws a DoorError of code `door` for what does not fit. */
export interface GivenArguments {
  target<K extends TargetKind>(position: number, kind: K): TargetKinds[K];
  integer(position: number): number;
  text(position: number): string;
  flag(position: number): boolean;
  texts(position: number): readonly string[];
  labels(position: number): LabelChanges;
  /** Anything that JSON can say, checked by its own reader: a Zod schema, which makes fresh objects. */
  value<T>(position: number, schema: { safeParse(given: unknown): { success: boolean; data?: T } }): T;
}

/** Makes the reference for a target that a door returns. */
export type Mint = <K extends TargetKind>(target: TargetKinds[K] & { kind: K }) => RefKinds[K];

/**
 * What doors lead to. Each of the first has a breaker of its own, so that its silence holds back only what needs it. The others are
 * many things behind one name, of which one may be silent without the rest.
 */
export type Api = 'kubernetes' | 'aws' | 'gcp' | 'minio' | 'network' | 'files';

/** The APIs that are one thing each, and so have a breaker. */
export const BREAKING: ReadonlySet<Api> = new Set(['kubernetes', 'aws', 'gcp', 'minio']);

/** A row of the door table. */
export interface DoorRow<D extends Door> {
  readonly api: Api;
  /** Whether it changes the world. */
  readonly effect: boolean;
  /**
   * An effect that ends its first target: it is tied to the very pod or object that was looked up, and made once more after an
   * interruption it finds out that the object is gone, which is then what was wanted.
   */
  readonly ends?: true;
  /** What it makes is gone when the try ends. It is not recorded: another try makes its own. */
  readonly fleeting?: true;
  /** What must be allowed. */
  readonly price: readonly [Grant, ...Grant[]];
  /** Fresh objects of the right types; nothing that the plug-in holds gets through. */
  readonly decode: (given: GivenArguments) => Arguments<D>;
  /** What the plug-in is told: the adapter's answer with references in place of targets. */
  readonly answer: (found: Found<D>, mint: Mint) => Answer<D>;
}

/** The rows of some doors. */
export type DoorRows<D extends Door> = { readonly [K in D]: DoorRow<K> };

/** For doors that answer nothing. */
export const nothing = (): undefined => undefined;

/** For doors whose answer has no references in it. */
export const asFound = <T>(found: T): T => structuredClone(found);

/** The answer of a door that may have made an artifact. */
export function withArtifact<T extends { readonly artifact: TargetKinds['artifact'] | null }>(found: T, mint: Mint) {
  const artifact: ArtifactRef | null = found.artifact && mint(found.artifact);
  return { ...found, artifact };
}
