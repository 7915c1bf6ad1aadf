import type { Door } from '../../model/capability.ts';
import { decodeEvent } from '../../model/decode-event.ts';
import type { Adapters } from '../../model/door-row.ts';
import { DOORS } from '../../model/doors.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import type { ArtifactTarget } from '../../model/targets.ts';
import type { StepRecord } from './step-record.ts';

/** An alert with these output fields, for tests. */
export function alertWith(fields: object): FalcoEvent {
  return alertOf(JSON.stringify({ output_fields: fields }));
}

/** An alert out of its JSON, for tests. */
export function alertOf(json: string): FalcoEvent {
  const decoded = decodeEvent(Buffer.from(json));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}

export const SPOOLED: ArtifactTarget = {
  ...{ kind: 'artifact', handle: '0'.repeat(32), name: 'log', size: 7, sha256: '0'.repeat(64) },
  mediaType: 'text/plain',
};

/**
 * Adapters that note their calls and know little; single ones can be replaced. For tests.
 *
 * @param found what doors answer that is to be otherwise
 */
export function fakeAdapters(replaced: Partial<Adapters> = {}, found: Partial<Record<Door, unknown>> = {}) {
  const calls: (readonly unknown[])[] = [];
  const answers: Partial<Record<Door, unknown>> = {
    'pods.uid': 'uid-1',
    'objects.uid': 'uid-1',
    'pods.owner': { kind: 'DaemonSet', name: 'agent' },
    'pods.replicas': { wanted: 1, ready: 1 },
    'pods.evict': { evicted: true },
    'pods.gone': true,
    'nodes.ofPod': { kind: 'node', name: 'node-1' },
    'nodes.pods': [],
    'pods.containers': [{ kind: 'container', name: 'main', pod: { kind: 'pod', name: 'web', namespace: 'shop' } }],
    'pods.logs': 'a line\n',
    'pods.exec': { code: 0, stdout: '', stderr: '', truncated: false },
    'pods.capture': { code: 0, stderr: '', artifact: SPOOLED },
    'pods.keepLogs': SPOOLED,
    'pods.containerIds': [],
    'http.send': { status: 200, statusLine: '200 OK', body: '', artifact: null },
    ...found,
  };
  const note = (door: string) => [
    door,
    async (...given: unknown[]) => {
      calls.push([door, ...given.slice(0, -1)]);
      return answers[door as Door];
    },
  ];
  const noted = Object.fromEntries(Object.keys(DOORS).map(note)) as unknown as Adapters;
  return { calls, adapters: { ...noted, ...replaced } };
}

/** A record that knows what it was told, and says in `lines` what that was. For tests. */
export function memoryRecord(known: readonly (readonly [call: string, answer: unknown])[] = []) {
  const lines: string[] = [];
  const left = [...known];
  const answered: [string, unknown][] = [];
  const record: StepRecord = {
    take: (call) => {
      const [found] = left.splice(left.findIndex(([each]) => each === call) >>> 0, 1);
      return found && { answer: found[1] };
    },
    reads: () => undefined,
    begins: async (_, door) => {
      lines.push(`begins ${door}`);
      return false;
    },
    answers: async (call, door, answer) => {
      lines.push(`answers ${door}`);
      answered.push([call, answer]);
    },
    fails: async (_, door) => void lines.push(`fails ${door}`),
  };
  return { record, lines, answered };
}
