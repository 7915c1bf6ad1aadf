import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import type { Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const ALERTS = 60;
const KILLS = 5;
/** The receiver refuses these for good, and has a bad moment with some of the others. */
const HOPELESS = 7;
const BUSY = 1 / 10;

const endpoint = usePeer(startRecorder);
const receiver = usePeer(startRecorder);
let home: TalonHome | undefined;
let talon: Talon | undefined;
afterEach(async () => {
  await talon?.stop();
  home?.remove();
});

it(`loses no notice to ${KILLS} kills while they are sent, and keeps those that nobody takes`, async () => {
  /** Per trace id: requests that were answered well. */
  const taken = new Map<string, number>();
  /** Of those, whose answer may not have come to the journal. */
  let requests = 0;
  receiver().reply(async ({ body }) => {
    requests += 1;
    const { trace_id: trace, event } = JSON.parse(body) as { readonly trace_id: string; readonly event: string };
    await sleep(randomInt(5, 120));
    if (Number(event.split(' ')[1]) % HOPELESS === 0) return { status: 400, body: 'never' };
    if (Math.random() < BUSY) return { status: 503 };
    taken.set(trace, (taken.get(trace) ?? 0) + 1);
    return { status: 204 };
  });
  const call = { action: 'Tell', actionner: 'webhook:call', parameters: { url: endpoint().url } };
  home = await TalonHome.make({
    rules: JSON.stringify([
      { rule: 'Tell', match: { rules: ['tell'] }, actions: [{ ...call, on_interrupt: 'retry' }] },
    ]),
    settings: { notifiers: { webhook: { url: receiver().url } }, default_notifiers: ['webhook'] },
  });
  talon = await home.start();
  const traces: string[] = [];
  for (let number = 0; number < ALERTS; number += 1) {
    traces.push(await talon.post(alertBody({ rule: 'tell', output: `alert ${number}`, fields: {} })));
    if (number % (ALERTS / KILLS) !== ALERTS / KILLS - 1) continue;
    await sleep(randomInt(0, 400));
    await talon.stop('KILL');
    talon = await home.start();
  }
  await home.untilDone();
  const noneWaits = async () => (await home!.notices()).every(({ state }) => state !== 'pending');
  await waitUntil('all notices to be settled', noneWaits, { timeout: 60_000, interval: 300 });

  const hopeless = traces.filter((_, number) => number % HOPELESS === 0);
  const dead = (await home.notices('--dead')).map(({ notice }) => notice.trace_id);
  const twice = [...taken.values()].filter((count) => count > 1).length;
  console.log(
    `e2e: ${KILLS} kills amid ${ALERTS} notices to a slow receiver: ${requests} requests, ${taken.size} taken, ` +
      `${twice} of them more than once, ${dead.length} dead letters`,
  );
  expect([...taken.keys()].sort()).toEqual(traces.filter((trace) => !hopeless.includes(trace)).sort());
  expect([...dead].sort()).toEqual([...hopeless].sort());
  // At a kill as many as are on their way at once may have been taken without anybody here knowing.
  expect([...taken.values()].reduce((sum, count) => sum + count - 1, 0)).toBeLessThanOrEqual(4 * KILLS);
  expect((await home.journal('notices', '--dead')).stdout).toContain('header missing: never');
}, 60_000);
