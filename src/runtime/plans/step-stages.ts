import type { Actionner, Output } from '../../model/definition.ts';
import type { Journal, Stored } from '../../model/journal.ts';
import type { StepEnd } from '../../model/outcome.ts';
import type { Telemetry, Transition } from '../../model/transition.ts';
import type { Apis } from '../apis.ts';
import type { Contexts } from '../contexts.ts';
import type { Step } from '../enrich.ts';
import type { NoticePost } from '../notices/notices.ts';
import type { Executor } from '../plugins/execute.ts';
import type { AttemptSettings } from './attempts.ts';

/** What the stages of a step work with. */
export interface StepStages {
  readonly actionners: ReadonlyMap<string, Actionner>;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly executor: Pick<Executor, 'missing' | 'run' | 'check' | 'store'>;
  readonly artifacts: Artifacts;
  readonly contexts: Pick<Contexts, 'of'>;
  readonly apis: Apis;
  readonly notices: NoticePost;
  readonly journal: Journal;
  readonly telemetry: Telemetry;
  /** Whether all rules are dry runs. */
  readonly dryRun: boolean;
  /** Seconds for one try of an action where its rule does not say; 0: as its actionner declares. */
  readonly actionTimeout: number;
  readonly retry: AttemptSettings;
  /** Aborted when the server begins to stop: what waits leaves, what runs goes on. */
  readonly stopping: AbortSignal;
  /** Aborted when the time for that is over: what runs is given up. */
  readonly signal: AbortSignal;
}

/** The artifacts that wait for their output. */
export interface Artifacts {
  /** Whether it is still there. */
  has(handle: string): boolean;
  /** Removes one that nobody needs any more. */
  discard(handle: string): void;
}

/** How a step ended, and what is told of it. */
export interface StepResult {
  readonly step: Step;
  readonly end: StepEnd;
  /** What became of its artifact, if it has an output. */
  readonly stored?: Stored;
  readonly transition: Transition;
  readonly notifies: boolean;
}
