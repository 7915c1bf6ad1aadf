import type { Telemetry } from '../../model/transition.ts';
import type { Spool } from '../../platform/spool/spool.ts';
import type { Apis } from '../../runtime/apis.ts';
import { Congestion } from '../../runtime/congestion.ts';
import { Contexts } from '../../runtime/contexts.ts';
import type { Lanes } from '../../runtime/lanes.ts';
import type { Notices } from '../../runtime/notices/notices.ts';
import { Pipeline, type PipelineOptions } from '../../runtime/pipeline.ts';
import type { Artifacts } from '../../runtime/plans/step-stages.ts';
import type { Policies } from '../../runtime/policies.ts';
import type { WiringOptions } from './wiring-options.ts';

/** What stands around the pipeline and is used by more than it. */
export interface Surroundings {
  readonly apis: Apis;
  readonly lanes: Lanes;
  readonly policies: Policies;
  readonly telemetry: Telemetry;
  readonly notices: Notices;
}

/** What takes alerts from the entrance to the ends of their plans. */
export function createPipeline(
  { settings, catalog, journal, health, contexts }: WiringOptions,
  {
    policies,
    ...stages
  }: Surroundings & Pick<PipelineOptions, 'executor' | 'artifacts' | 'dedup' | 'stopping' | 'signal'>,
): Pipeline {
  const congestion = new Congestion((reason) => health.degrade('queue', reason));
  return new Pipeline({
    ...stages,
    onFull: () => congestion.refused(),
    actionners: catalog.actionners,
    outputs: catalog.outputs,
    contexts: new Contexts(contexts, () => performance.now()),
    journal,
    logsEvents: !settings.print_all_events,
    dryRun: settings.dry_run,
    actionTimeout: settings.action_timeout_seconds,
    retry: settings.retry,
    policyOf: (revision) => policies.of(revision),
    now: Date.now,
  });
}

/** Artifacts as steps see them. What cannot be removed is told. */
export function artifactsIn(spool: Spool | undefined, { emit }: Telemetry): Artifacts {
  return {
    has: (handle) => spool?.has(handle) ?? false,
    discard: (handle) => {
      spool?.remove(handle).catch((error: Error) => emit({ kind: 'fault', error: error.message }));
    },
  };
}
