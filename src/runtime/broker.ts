import type { Door, PodRef } from '../model/capability.ts';
import { DoorError } from '../model/door-error.ts';
import {
  type Adapters,
  DOORS,
  type DoorRow,
  type GivenArguments,
  type Mint,
  readInteger,
  readLabels,
  type Target,
  type TargetKind,
  type TargetKinds,
} from '../model/doors.ts';

/** The doors of one step, and the references that it may use. */
export interface Step {
  readonly mint: Mint;
  /**
   * Opens a door, as the code of a plug-in asks for it; nothing in the arguments is trusted.
   *
   * @throws DoorError of code `door` for a door that is not listed, a reference of another kind or step, or arguments
   *   that do not fit; and what the adapter throws
   */
  readonly call: (door: string, given: readonly unknown[]) => Promise<unknown>;
  /** What the last call that failed was about. */
  readonly failedOn: () => Target | undefined;
}

/** Begins a step: a fresh table of references, and `uses` as the only doors. The signal ends with the step. */
export function beginStep(uses: readonly Door[], adapters: Adapters, signal: AbortSignal): Step {
  const targets: Target[] = [];
  let failed: Target | undefined;

  const mint = ((target: Target) => {
    const { kind, name } = target;
    const ref = targets.push(target) - 1;
    return kind === 'pod' ? { kind, ref, name, namespace: target.namespace } : { kind, ref, name };
  }) as Mint;

  async function call(door: string, given: readonly unknown[]): Promise<unknown> {
    const listed = uses.find((use) => use === door);
    if (listed === undefined) throw new DoorError('door', `the door \`${door.slice(0, 60)}\` is not listed`);
    const reader = readArguments(given, targets);
    try {
      return await open(listed, reader, adapters, signal, mint);
    } catch (error) {
      failed = reader.first();
      throw error;
    }
  }

  return { mint, call, failedOn: () => failed };
}

async function open<D extends Door>(
  door: D,
  given: GivenArguments,
  adapters: Adapters,
  signal: AbortSignal,
  mint: Mint,
): Promise<unknown> {
  const row: DoorRow<D> = DOORS[door];
  const adapter: Adapters[D] = adapters[door];
  return row.answer(await adapter(...row.decode(given), signal), mint);
}

interface ArgumentReader extends GivenArguments {
  /** The first target that was asked for. */
  readonly first: () => Target | undefined;
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
    integer: (position: number) => readInteger(given[position]),
    labels: (position: number) => readLabels(given[position]),
    first: () => used[0],
  };
}
