import type { StepEnd } from '../model/outcome.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { Step } from './enrich.ts';

/** Stage: tells people about the end of a step. The pipeline does not wait for it. */
export type Notify = (step: Step, end: StepEnd) => void;

/** The stage while no notifier can send yet: nobody is told, which is said at the start (`unheardNotifiers`). */
export function createNotify(): Notify {
  return () => undefined;
}

/** Names of notifiers that the configuration or the rules want to be told, in their order, each once. */
export function unheardNotifiers(defaults: readonly string[], rules: readonly PlannedRule[]): string[] {
  return [...new Set([...defaults, ...rules.flatMap((rule) => rule.notifiers)])];
}
