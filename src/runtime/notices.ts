import type { QueuedNotice } from '../model/journal.ts';
import type { Step } from './enrich.ts';
import type { NoticedEnd } from './notice-of.ts';

/** The step that notices are about, by alert and number. */
export interface NoticedStep {
  readonly alert: number;
  readonly number: number;
  readonly step: Step;
}

/** How plans tell people. What `of` gives is recorded with the end that it is about, and handed to `post` once it is on disk. */
export interface NoticePost {
  of(about: NoticedStep, ended: NoticedEnd): readonly QueuedNotice[];
  /** Nobody waits for what becomes of them. */
  post(notices: readonly QueuedNotice[]): void;
}
