import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import {
  labelWrites,
  type NumberedAlert,
  numberedAlert,
  numberedRules,
  requestsByStep,
  stepsInFlight,
  stepsNotDone,
} from './numbered-alerts.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { SmallDisk } from './small-disk.ts';
import { sendAlert, type Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const MIB = 2 ** 20;
const DISK = 32 * MIB;
/** What is left of it when the test has filled it, and bytes of an alert: some of them find room, and then none. */
const LEFT = 4 * MIB;
const ALERT_BYTES = 60_000;
const PODS = Array.from({ length: 10 }, (_, index) => `pod-${index}`);
const LABELS = ['first', 'second'];
const NUMBERS = 40;

const disk = await SmallDisk.make(DISK);
if (typeof disk === 'string') console.log(`e2e: skipped the tests of a full disk: ${disk}`);

describe.skipIf(typeof disk === 'string')('a disk that is full', () => {
  const cluster = useCluster({ workloads: false });
  const small = disk as SmallDisk;
  const answered: NumberedAlert[] = [];
  const inFlight = new Set<string>();
  let namespace: TestNamespace;
  let home: TalonHome;
  let talon: Talon;
  let sent = 0;

  beforeAll(async () => {
    namespace = await cluster.namespace('disk-full');
    await Promise.all(PODS.map((pod) => namespace.pod(pod, { run: false })));
    home = await TalonHome.make({
      rules: numberedRules(NUMBERS, LABELS),
      kubeconfig: cluster.kubeconfig(),
      env: { JOURNAL_PATH: join(small.folder, 'journal.db') },
      within: small.within,
    });
    talon = await home.start();
  });
  afterAll(async () => {
    await talon?.stop();
    home?.remove();
    await small.remove();
  });

  it('refuses what it cannot store, says so, and goes on with the rest when space returns', async () => {
    small.fill(LEFT);
    const refused = await sendUntilRefused();
    const readiness = await waitUntil('/readyz to tell of it', async () => {
      const answer = await talon.readiness();
      return answer.status !== 200 && answer;
    });
    // What no rule is for needs no disk.
    await talon.post('{"rule":"nothing","priority":"Notice","output":"text","output_fields":{},"source":"syscall"}');
    const before = answered.length;

    small.empty();
    await waitUntil('/readyz to be well again', async () => (await talon.readiness()).status === 200);
    await send();
    await untilAllDone();
    console.log(
      `e2e: full disk: ${before} alerts of ${ALERT_BYTES} bytes stored, ${refused} refused with 503, /readyz ` +
        `${readiness.status} ${readiness.text.trim()}; with space again all ${answered.length} answered ones done`,
    );
    expect(readiness.text).toMatch(/journal|disk|stor/i);
  }, 60_000);

  it('loses nothing when it is killed on the full disk and started there again', async () => {
    small.fill(LEFT);
    await sendUntilRefused();
    small.fill();
    await talon.stop('KILL');
    for (const step of stepsInFlight(alertsByTrace(), talon.lines)) inFlight.add(step);

    const again = home.launch();
    const code = await Promise.race([
      again.exited,
      again.untilHealthy().then(
        () => undefined,
        () => again.exited,
      ),
    ]);
    const fatal = again.lines.find(({ level }) => level === 'fatal');
    const outcome =
      code === undefined ? `starts, /readyz ${(await again.readiness()).status}` : `refuses to start: ${fatal?.error}`;
    if (code !== undefined)
      expect({ code, error: fatal?.error, stray: again.stray }).toEqual({
        code: 1,
        error: expect.stringContaining('journal.db'),
        stray: [],
      });
    small.empty();
    await again.stop('KILL');
    for (const step of stepsInFlight(alertsByTrace(), again.lines)) inFlight.add(step);
    talon = await home.start();
    await send();
    await untilAllDone();
    console.log(
      `e2e: killed on the full disk, then started there: ${outcome}; with space again all ${answered.length} done`,
    );

    const requests = requestsByStep(labelWrites(namespace.audit()));
    expect([...requests].filter(([step, count]) => count > 1 && !inFlight.has(step))).toEqual([]);
  }, 60_000);

  it('leaves a file that is whole', async () => {
    expect(await talon.stop()).toBe(0);
    const folder = makeScratch();
    for (const name of ['journal.db', 'journal.db-wal']) {
      const source = join(small.outside, name);
      if (existsSync(source)) copyFileSync(source, join(folder, name));
    }
    const database = new Database(join(folder, 'journal.db'));
    expect(database.prepare('PRAGMA integrity_check').raw().all()).toEqual([['ok']]);
    database.close();
    removeScratch(folder);
  });

  /** Sends large alerts until five in a row are refused; gives how many were. Nothing else but 200 and 503 may come. */
  async function sendUntilRefused(): Promise<number> {
    let refused = 0;
    for (let inRow = 0; inRow < 5; ) {
      const isStored = await send();
      inRow = isStored ? 0 : inRow + 1;
      if (!isStored) refused += 1;
    }
    return refused;
  }

  async function send(): Promise<boolean> {
    const pod = PODS[sent % PODS.length]!;
    const number = Math.floor(sent / PODS.length) % NUMBERS;
    const alert = numberedAlert(namespace, pod, number, { padding: 'x'.repeat(ALERT_BYTES) });
    sent += 1;
    const { status, text } = await sendAlert(talon.url, alert.body, alert.traceId);
    if (status !== 200 && status !== 503) throw new Error(`answered with ${status}: ${text}`);
    if (status === 200) answered.push(alert);
    return status === 200;
  }

  async function untilAllDone(): Promise<void> {
    const missing = () => stepsNotDone(answered, LABELS, labelWrites(namespace.audit()));
    await waitUntil('all steps to be done', () => missing().length === 0, {
      timeout: 30_000,
      interval: 100,
      describe: () => missing().slice(0, 20).join(', '),
    });
  }

  function alertsByTrace(): ReadonlyMap<string, NumberedAlert> {
    return new Map(answered.map((alert) => [alert.traceId, alert]));
  }
});
