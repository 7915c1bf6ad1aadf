import type { Actionner } from '../../model/definition.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { PodTarget } from '../../model/targets.ts';
import { mintTargets } from './action-targets.ts';
import { missingField } from './missing-field.ts';
import { noTokens, readParameters, unlessRefused, withoutSecrets } from './read-parameters.ts';
import { failure, runScript, type ScriptMeans } from './run-script.ts';
import type { StepRecord } from './step-record.ts';
import type { Tokens } from './tokens.ts';

/** One try of an action. */
export interface StepToRun {
  readonly actionner: Actionner;
  /** As the bundle carries them: a map or null. */
  readonly parameters: unknown;
  /** Contents of the files that parameters name, by parameter. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly event: FalcoEvent;
  /** Values for the tokens in its parameters. */
  readonly tokens?: () => Tokens;
  /** What functions are called with. */
  readonly payload?: (fields?: readonly string[]) => string;
  /** Of the alert. */
  readonly traceId?: string;
  /** Whether the action has an output. */
  readonly keeps?: boolean;
  /** The pod of the alert where it was looked up already; it takes the place of the one that the alert names. */
  readonly pod?: PodTarget | undefined;
  readonly record: StepRecord;
  /** After so many milliseconds the try is over. */
  readonly milliseconds: number;
}

/** Runs the code of an actionner, with the targets that its alert and its parameters lead to. */
export async function runActionner(step: StepToRun, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { actionner, event, record, milliseconds, keeps = false, tokens = noTokens, payload = () => '' } = step;
  const { behaviour } = actionner;
  const missing = missingField(actionner.requires, event);
  if (missing !== undefined) return failure('missing-field', missing);
  const decoded = readParameters(actionner.parameters, step.parameters, tokens, step.files);
  if ('status' in decoded) return decoded;
  const { parameters } = decoded;
  const given = (mint: Parameters<typeof mintTargets>[1]) =>
    unlessRefused(() => {
      const reach = behaviour.reach?.(parameters) ?? {};
      return {
        parameters: withoutSecrets(actionner.parameters, parameters),
        targets: mintTargets({ actionner, event, pod: step.pod, traceId: step.traceId, reach, payload }, mint),
        keeps,
        seconds: milliseconds / 1000,
      };
    });
  const uses = behaviour.opens?.(parameters) ?? behaviour.uses;
  return runScript({ plugin: actionner.id, uses, record, milliseconds, event, given }, signal, means);
}
