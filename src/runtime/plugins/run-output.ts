import type { Output } from '../../model/definition.ts';
import type { Artifact, Outcome } from '../../model/outcome.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { readParameters, refusal, unlessRefused, withoutSecrets } from './read-parameters.ts';
import { type Failure, runScript, type ScriptMeans } from './run-script.ts';
import { unrecorded } from './step-record.ts';
import type { Tokens } from './tokens.ts';

/** One try to store an artifact. */
export interface ArtifactToStore {
  readonly output: Output;
  readonly parameters: ParameterMap;
  readonly tokens: () => Tokens;
  readonly artifact: Artifact;
  readonly key: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** Looks whether artifacts could be stored there, without the code of the output. */
export async function checkOutput(
  { output, parameters, tokens }: Pick<ArtifactToStore, 'output' | 'parameters' | 'tokens'>,
  signal: AbortSignal,
  { adapters }: ScriptMeans,
): Promise<Failure | undefined> {
  const { behaviour } = output;
  const decoded = readParameters(output.parameters, parameters, tokens);
  if ('status' in decoded) return decoded;
  try {
    const { store } = behaviour.reach(decoded.parameters);
    await adapters['stores.check']({ kind: 'store', ...store }, signal);
    return undefined;
  } catch (error) {
    return refusal(error);
  }
}

/** Runs the code of an output, with a reference to the artifact and one to where it goes. */
export async function runOutput(given: ArtifactToStore, signal: AbortSignal, means: ScriptMeans): Promise<Outcome> {
  const { output, tokens, artifact, key, facts } = given;
  const { uses, deadline, reach } = output.behaviour;
  const decoded = readParameters(output.parameters, given.parameters, tokens);
  if ('status' in decoded) return decoded;
  const { parameters } = decoded;
  return runScript(
    {
      ...{ plugin: output.id, uses, record: unrecorded, milliseconds: 1000 * deadline },
      given: (mint) =>
        unlessRefused(() => ({
          parameters: withoutSecrets(output.parameters, parameters),
          artifact: mint({ kind: 'artifact', ...artifact }),
          store: mint({ kind: 'store', ...reach(parameters).store }),
          ...{ key, facts },
        })),
    },
    signal,
    means,
  );
}
