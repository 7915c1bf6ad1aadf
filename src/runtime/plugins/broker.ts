import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Door } from '../../model/capability.ts';
import { readFlag, readInteger, readLabels, readText, readTexts, readValue } from '../../model/door-arguments.ts';
import { DoorError } from '../../model/door-error.ts';
import type { Adapters, DoorRow, GivenArguments, Mint } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { PodRef } from '../../model/references.ts';
import {
  type ArtifactTarget,
  artifactsIn,
  identityOf,
  refOf,
  type Target,
  type TargetKind,
  type TargetKinds,
} from '../../model/targets.ts';
import type { StepRecord } from './step-record.ts';

/** The doors of one step, and the references that it may use. */
export interface Step {
  readonly mint: Mint;
  /**
   * Opens a door, as the code of a plug-in asks for it; nothing in the arguments is trusted. An effect that the record
   * knows is not made again.
   *
   * @throws DoorError of code `door` for a door that is not listed, a reference of another kind or step, or arguments
   *   that do not fit; and what the adapter throws
   */
  readonly call: (door: string, given: unknown) => Promise<unknown>;
  /** What the call was about that failed with this error. */
  readonly about: (error: unknown) => Target | undefined;
  /** The artifacts that were made in the step. */
  readonly artifacts: () => readonly ArtifactTarget[];
  /** The artifact that a plug-in's reference stands for. */
  readonly artifact: (ref: unknown) => ArtifactTarget | undefined;
}

export interface StepDoors {
  readonly uses: readonly Door[];
  readonly adapters: Adapters;
  readonly record: StepRecord;
  /** Ends with the step. */
  readonly signal: AbortSignal;
  /** Told of artifacts that the record knows: they stay as long as it. */
  readonly keep?: (handle: string) => void;
}

/** What a plug-in's `sleep` opens. Every step has it. */
const SLEEP = 'sleep';
/** Milliseconds. */
const LONGEST_SLEEP = 3_600_000;

/** Begins a step: a fresh table of references, and `uses` as the only doors. */
export function beginStep(doors: StepDoors): Step {
  const targets: Target[] = [];
  const about = new Map<unknown, Target | undefined>();

  async function call(door: string, given: unknown): Promise<unknown> {
    const list = Array.isArray(given) ? given : [];
    if (door === SLEEP) return sleep(list[0], doors.signal);
    const listed = doors.uses.find((use) => use === door);
    if (listed === undefined) throw new DoorError('door', `the door \`${door.slice(0, 60)}\` is not listed`);
    const reader = readArguments(list, targets);
    try {
      if (DOORS[listed].ends) await pin(list[0], targets, doors);
      return await open(listed, reader, doors, mint);
    } catch (error) {
      about.set(error, reader.used()[0]);
      throw error;
    }
  }

  const mint = ((target: Target) => refOf(target, targets.push(target) - 1)) as Mint;
  return {
    mint,
    call,
    about: (error) => about.get(error),
    artifacts: () => targets.filter((target) => target.kind === 'artifact'),
    artifact: (ref) => {
      const target = typeof ref === 'number' ? targets[ref] : undefined;
      return target?.kind === 'artifact' ? target : undefined;
    },
  };
}

async function open<D extends Door>(door: D, given: ArgumentReader, doors: StepDoors, mint: Mint): Promise<unknown> {
  const { adapters, record, signal } = doors;
  const row: DoorRow<D> = DOORS[door];
  const adapter: Adapters[D] = adapters[door];
  const decoded = row.decode(given);
  const call = digest(door, decoded, given.used());
  type Found = Parameters<typeof row.answer>[0];
  const recorded = row.effect && !row.fleeting;
  const known = row.fleeting ? undefined : record.take(call);
  if (known) return row.answer(known.answer as Found, mint);
  const make = () => act(() => adapter(...decoded, signal), signal);
  const answer = await (recorded ? makeEffect(call, door, make, doors) : make());
  // An artifact that no effect made ends with the try.
  if (!row.effect && artifactsIn(answer).length === 0) record.reads(call, door, answer);
  if (recorded) for (const { handle } of artifactsIn(answer)) doors.keep?.(handle);
  return row.answer(answer as Found, mint);
}

/** Makes an effect and records it. One that may have been made before, and finds its target gone, was made. */
async function makeEffect(
  call: string,
  door: Door,
  make: () => Promise<unknown>,
  { record }: StepDoors,
): Promise<unknown> {
  const { ends = false } = DOORS[door];
  const repeats = await record.begins(call, door, ends);
  const answer = await make().catch(async (error: unknown) => {
    if (ends && repeats && error instanceof DoorError && error.gone) return undefined;
    await record.fails(call, door, error);
    throw error;
  });
  await record.answers(call, door, answer);
  return answer;
}

/**
 * Ties a reference to the very pod or object that has the name now. What ends one and is made again after an interruption must
 * not end the one that came after it. Where there is none the door itself says so.
 */
async function pin(given: unknown, targets: Target[], { adapters, record, signal }: StepDoors): Promise<void> {
  const { ref } = (given ?? {}) as Partial<PodRef>;
  const target = typeof ref === 'number' ? targets[ref] : undefined;
  if (typeof ref !== 'number' || (target?.kind !== 'pod' && target?.kind !== 'object') || target.uid) return;
  const door = target.kind === 'pod' ? 'pods.uid' : 'objects.uid';
  const lookUp = () =>
    target.kind === 'pod' ? adapters['pods.uid'](target, signal) : adapters['objects.uid'](target, signal);
  const call = digest(door, [target], [target]);
  const known = record.take(call);
  try {
    const uid = known ? String(known.answer) : await lookUp();
    if (!known) record.reads(call, door, uid);
    targets[ref] = { ...target, uid };
  } catch (error) {
    if (!(error instanceof DoorError && error.code === 'not-found')) throw error;
  }
}

async function act<T>(effect: () => Promise<T>, signal: AbortSignal): Promise<T> {
  // In the words for what was certainly not made.
  if (signal.aborted) throw new DoorError('refused', 'the step was over before this was asked');
  return effect();
}

/** Tells calls apart over restarts: by what references stand for, since their numbers may be others then. */
function digest(door: Door, decoded: readonly unknown[], targets: readonly Target[]): string {
  const named = decoded.map((argument) => {
    const target = targets.find((each) => each === argument);
    return target ? identityOf(target) : argument;
  });
  return createHash('sha256')
    .update(JSON.stringify([door, ...named]))
    .digest('hex');
}

async function sleep(given: unknown, signal: AbortSignal): Promise<void> {
  const wanted = typeof given === 'number' && given > 0 ? given : 0;
  await delay(Math.min(wanted, LONGEST_SLEEP), undefined, { signal });
}

interface ArgumentReader extends GivenArguments {
  /** The targets that were asked for. */
  readonly used: () => readonly Target[];
}

/** Reads arguments against the references of a step. */
function readArguments(given: readonly unknown[], targets: readonly Target[]): ArgumentReader {
  const used: Target[] = [];
  return {
    target<K extends TargetKind>(position: number, kind: K) {
      const number = (given[position] as Partial<PodRef> | null | undefined)?.ref;
      const target = typeof number === 'number' ? targets[number] : undefined;
      if (target?.kind !== kind) throw new DoorError('door', `no reference to a ${kind} of this step`);
      used.push(target);
      return target as TargetKinds[K];
    },
    integer: (position) => readInteger(given[position]),
    text: (position) => readText(given[position]),
    flag: (position) => readFlag(given[position]),
    texts: (position) => readTexts(given[position]),
    labels: (position) => readLabels(given[position]),
    value: (position, schema) => readValue(given[position], schema),
    used: () => used,
  };
}
