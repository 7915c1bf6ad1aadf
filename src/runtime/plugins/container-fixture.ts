import { spawnSync } from 'node:child_process';
import type { Capture, Door, Doors, Execution } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Actionner, RunArguments } from '../../model/definition.ts';
import type { ActionResult } from '../../model/outcome.ts';
import type { ArtifactRef, ContainerRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { POD } from './action-fixture.ts';

export function containerRef(name: string, ref = 1): ContainerRef {
  return { kind: 'container', ref, name };
}

/** A program that was run. */
export interface ProgramCall {
  readonly container: string;
  readonly program: readonly string[];
  readonly stdin: string;
}

/** For tests: doors to containers; what runs in one runs on this machine, unless there is something else for its name. */
export function hereDoors(names: readonly string[], replaced: Readonly<Record<string, Partial<Execution>>> = {}) {
  const calls: ProgramCall[] = [];
  const captured: Buffer[] = [];
  const run = (container: string, program: readonly string[], stdin: string) => {
    calls.push({ container, program, stdin });
    const instead = replaced[container];
    if (instead) return { code: 0, stderr: '', ...instead, stdout: Buffer.from(instead.stdout ?? '') };
    const [file = '', ...given] = program;
    const { status, signal, stdout, stderr, error } = spawnSync(file, given, { input: stdin, timeout: 20_000 });
    // A program that did not read all of its input was run all the same.
    if (error && status === null && signal === null)
      return { code: 126, stdout: Buffer.alloc(0), stderr: String(error) };
    return { code: status ?? (signal === 'SIGKILL' ? 137 : 1), stdout, stderr: stderr.toString() };
  };
  const doors: Pick<Doors, 'pods.containers' | 'pods.exec' | 'pods.capture'> = {
    'pods.containers': async () => names.map((name, index) => containerRef(name, index + 1)),
    'pods.exec': async ({ name }, program, stdin) => {
      const { code, stdout, stderr } = run(name, program, stdin);
      return { code, stdout: stdout.toString(), stderr, truncated: replaced[name]?.truncated ?? false };
    },
    'pods.capture': async ({ name }, program, artifact): Promise<Capture> => {
      const { code, stdout, stderr } = run(name, program, '');
      if (code !== 0) return { code, stderr, artifact: null };
      const ref = captured.push(stdout) - 1;
      return { code, stderr, artifact: { kind: 'artifact', ref, size: stdout.length, sha256: '', ...artifact } };
    },
  };
  return { calls, captured, doors };
}

/** What of a run a test chooses. */
interface ChosenRun {
  readonly parameters: ParameterMap;
  readonly use: Partial<Doors>;
  readonly keeps?: boolean;
  readonly seconds?: number;
}

/** For tests: runs an actionner of pods with its parameters as a rule has them. Throws for those that are refused. */
export async function runForPod(actionner: Actionner, { parameters, use, keeps = false, seconds }: ChosenRun) {
  const decoded = decodeParameters(actionner.parameters, parameters);
  if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
  const event = decodeEvent(Buffer.from('null'));
  if (!event.ok) throw new Error('the test is wrong');
  const given: RunArguments<Readonly<Record<string, unknown>>, Door> = {
    event: event.event,
    parameters: decoded.value,
    targets: { pod: POD },
    keeps,
    ...(seconds !== undefined && { seconds }),
    use: use as Doors,
    sleep: async () => undefined,
  };
  return actionner.behaviour.run(given) as Promise<ActionResult<ArtifactRef>>;
}
