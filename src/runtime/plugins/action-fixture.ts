import type { Door, Doors } from '../../model/capability.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Actionner, RunArguments, Targets } from '../../model/definition.ts';
import type { ActionResult } from '../../model/outcome.ts';
import type { ArtifactRef, PodRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { alertWith } from './executor-fixture.ts';

export const POD: PodRef = { kind: 'pod', ref: 0, name: 'web', namespace: 'shop' };
export const OBJECTS = { pod: 'web', namespace: 'shop' };

/** What of a run a test chooses. */
interface ChosenRun {
  /** As a rule has them. */
  readonly parameters?: ParameterMap;
  readonly targets?: Targets;
  /** Output fields of the alert. */
  readonly fields?: object;
  readonly keeps?: boolean;
  /** What the doors answer; there are no others. */
  readonly answers: { readonly [D in Door]?: Awaited<ReturnType<Doors[D]>> };
}

/** For tests: runs an actionner on doors that note their calls. Throws what it throws, and for parameters that are refused. */
export async function runNoted(actionner: Actionner, chosen: ChosenRun) {
  const { parameters = {}, targets = { pod: POD }, fields = {}, keeps = false, answers } = chosen;
  const decoded = decodeParameters(actionner.parameters, parameters);
  if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
  const calls: (readonly unknown[])[] = [];
  const doors = Object.entries(answers).map(([door, answer]) => [
    door,
    async (...given: unknown[]) => {
      calls.push([door, ...given]);
      return answer;
    },
  ]);
  const given: RunArguments<Readonly<Record<string, unknown>>, Door> = {
    ...{ event: alertWith(fields), parameters: decoded.value, targets, keeps },
    use: Object.fromEntries(doors) as Doors,
    sleep: async () => undefined,
  };
  const result = (await actionner.behaviour.run(given)) as ActionResult<ArtifactRef>;
  return { calls, result };
}
