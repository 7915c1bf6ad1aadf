import type { Transition } from '../../model/transition.ts';
import { ChangeWatch } from '../../platform/files/change-watch.ts';
import { InputFiles } from '../../platform/files/input-files.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import type { Health } from '../../runtime/health.ts';
import { Refused } from '../refused.ts';
import type { Log } from './server-log.ts';
import { keepHeapSmall } from './small-heap.ts';

export interface ReloaderOptions {
  /** What the rules in effect were made from. */
  readonly active: InputFiles;
  /** Reads, checks and opens rules and policies, and makes ready what they need. @throws Refused */
  readonly load: (inputs: InputFiles) => Promise<Engine>;
  /** Lets them act from now on, all at once. */
  readonly activate: (engine: Engine) => Promise<void>;
  readonly emit: (transition: Transition) => void;
  readonly health: Pick<Health, 'degrade'>;
  readonly log: Log;
  /** Milliseconds; see ChangeWatch. */
  readonly quiet: number;
  readonly poll: number;
}

/** The part of the server's health that rules and policies are. */
const PART = 'rules';

const CHANGED = 'changes detected';
const REQUESTED = 'reload requested';
const AGAIN = 'trying again';

/**
 * Takes up changed rules and policies while the server runs: all of a new set that is free of faults, or nothing of it. Then
 * the set before stays in effect, and the server's health says so until a good one is loaded. One reload follows the other.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #watch: ChangeWatch;
  #active: InputFiles;
  /** What was judged last: in effect, or refused. */
  #judged: InputFiles;
  #running: Promise<void> = Promise.resolve();
  /** A reload that was asked for and has not begun: who asks meanwhile is served by it. */
  #requested: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#active = options.active;
    this.#judged = options.active;
    const { log, quiet, poll } = options;
    this.#watch = new ChangeWatch({
      files: () => [...this.#active.paths, ...this.#judged.paths],
      look: () => this.#look(),
      onSettled: () => this.#follow(CHANGED),
      onFault: (reason) =>
        log({ level: 'error', message: PART, fields: { error: `${reason}, looking every ${poll / 1000} s` } }),
      quiet,
      poll,
    });
  }

  /** Reloads when the files change. */
  watch(): void {
    this.#watch.start();
  }

  /** Reloads whether they changed or not. Resolves when that is done. */
  reload(): Promise<void> {
    this.#requested ??= this.#follow(REQUESTED);
    return this.#requested;
  }

  /** What is under way ends without effect on the log and the health. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
    this.#watch.stop();
  }

  #look(): string | undefined {
    const now = new Map([...this.#active.look(), ...this.#judged.look()]);
    if (this.#judged.holds(now)) return undefined;
    if (this.#active.holds(now)) {
      // What was refused is taken back: the files are again those of the rules in effect.
      this.#judged = this.#active;
      this.#options.health.degrade(PART, '');
      return undefined;
    }
    return JSON.stringify([...now]);
  }

  #follow(reason: string): Promise<void> {
    this.#running = this.#running.then(() => this.#run(reason));
    return this.#running;
  }

  async #run(reason: string): Promise<void> {
    const { load, activate, emit, health, log } = this.#options;
    if (reason === REQUESTED) this.#requested = undefined;
    // The reload before this one may have read the changed files already.
    if (this.#stopped || (reason === CHANGED && this.#look() === undefined)) return;
    clearTimeout(this.#again);
    log({ level: 'info', message: PART, fields: { result: reason } });
    const endGrowth = keepHeapSmall();
    const inputs = new InputFiles();
    try {
      const engine = await load(inputs);
      await activate(engine);
      this.#active = inputs;
      if (this.#stopped) return;
      emit({ kind: 'reloaded', ok: true, result: `${engine.rules.length} rules have been successfully loaded` });
      health.degrade(PART, '');
    } catch (error) {
      if (this.#stopped) return;
      const result = textOf(error);
      emit({ kind: 'reloaded', ok: false, result });
      health.degrade(PART, `${result}; those loaded before stay in effect`);
      // The files are not to blame, so that no change of theirs will help: the journal could not be written, for example.
      if (!(error instanceof Refused)) this.#tryAgain();
    } finally {
      this.#judged = inputs;
      setImmediate(endGrowth);
    }
  }

  #tryAgain(): void {
    this.#again = setTimeout(() => void this.#follow(AGAIN), this.#options.poll);
    this.#again.unref();
  }
}

function textOf(error: unknown): string {
  if (error instanceof Refused) return error.message;
  return `the rules could not be taken up: ${error instanceof Error ? error.message : String(error)}`;
}
