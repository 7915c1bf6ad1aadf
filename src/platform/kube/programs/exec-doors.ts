import type { Readable } from 'node:stream';
import type { Execution } from '../../../model/capability.ts';
import { DoorError } from '../../../model/door-error.ts';
import type { Found } from '../../../model/door-row.ts';
import { podNotFound } from '../../../model/kube-names.ts';
import type { Artifact } from '../../../model/outcome.ts';
import { BoundedText } from '../bounded-text.ts';
import type { KubeClient } from '../kube-client.ts';
import type { KubeDoorMeans, KubeDoors } from '../kube-door-means.ts';
import { spoolOf } from '../spool-of.ts';
import { whenMissing } from '../when-missing.ts';
import type { ProgramToRun } from './exec-request.ts';
import { endOfRefusal, type ProgramEnd } from './program-end.ts';
import { type RunningProgram, startProgram } from './remote-program.ts';

/**
 * The doors that run programs in containers. One that could not be started there (no such program, the container does not run)
 * has ended with the exit code 126 and the words of the API server as what it wrote to stderr, so that whoever asked can go on with
 * the next container; a DoorError says that nobody can run anything, or knows how it went.
 */
export function execDoors({ open, spool }: KubeDoorMeans): Pick<KubeDoors, 'pods.exec' | 'pods.capture'> {
  return {
    'pods.exec': (container, program, stdin, signal) => execute(open(), { container, program, stdin }, signal),
    'pods.capture': async (container, program, { name, mediaType }, signal) => {
      const store = (stdout: AsyncIterable<Uint8Array>) => spoolOf(spool).write(name, mediaType, stdout);
      return capture(open(), { container, program, stdin: '' }, store, signal);
    },
  };
}

/** Bytes of what a program writes that are kept. The journal keeps them too, and the output of an action is shorter still. */
const MOST_OUTPUT = 128 * 1024;

async function execute(client: KubeClient, given: ProgramToRun, signal: AbortSignal): Promise<Execution> {
  const program = await started(client, given, signal);
  if ('code' in program) return { code: program.code, stdout: '', stderr: program.reason, truncated: false };
  const { stdout, stderr, ended } = program;
  const written = new BoundedText(MOST_OUTPUT);
  for await (const chunk of stdout as AsyncIterable<Uint8Array>) written.add(chunk);
  const end = await ended;
  return {
    code: end.code,
    stdout: written.text,
    stderr: stderr.text || end.reason,
    truncated: written.truncated || stderr.truncated,
  };
}

type Store = (stdout: AsyncIterable<Uint8Array>) => Promise<Artifact>;

async function capture(
  client: KubeClient,
  given: ProgramToRun,
  store: Store,
  signal: AbortSignal,
): Promise<Found<'pods.capture'>> {
  const program = await started(client, given, signal);
  if ('code' in program) return { code: program.code, stderr: program.reason, artifact: null };
  try {
    const artifact = await store(wholeOutput(program));
    return { code: 0, stderr: program.stderr.text, artifact: { kind: 'artifact', ...artifact } };
  } catch (error) {
    if (!(error instanceof FailedProgram)) throw error;
    const { code, reason } = error.end;
    return { code, stderr: program.stderr.text || reason, artifact: null };
  } finally {
    program.stdout.destroy();
  }
}

/** The program, or its end where it could not be started. */
async function started(
  client: KubeClient,
  given: ProgramToRun,
  signal: AbortSignal,
): Promise<RunningProgram | ProgramEnd> {
  try {
    return await startProgram(client, given, signal).catch(whenMissing(() => podNotFound(given.container.pod)));
  } catch (error) {
    const end = error instanceof DoorError ? endOfRefusal(error) : undefined;
    if (end) return end;
    throw error;
  }
}

/** Breaks off the writing of an artifact that is not whole. */
class FailedProgram extends Error {
  readonly end: ProgramEnd;
  constructor(end: ProgramEnd) {
    super('the program failed');
    this.end = end;
  }
}

/** What a program writes. @throws FailedProgram at the end of one that failed, DoorError where nobody knows how it ended */
async function* wholeOutput({ stdout, ended }: RunningProgram): AsyncGenerator<Uint8Array> {
  yield* stdout as Readable & AsyncIterable<Uint8Array>;
  const end = await ended;
  if (end.code !== 0) throw new FailedProgram(end);
}
