import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { forward } from './cluster/forward.ts';
import { freePort } from './cluster/free-port.ts';
import { waitUntil } from './cluster/wait-until.ts';
import type { Bucket } from './peers/bucket.ts';
import { startMinio } from './peers/minio.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const MIB = 2 ** 20;
/** Bytes that a folder of `local:file` may have: as long as the filler is there, none of ours find room. */
const FOLDER = 8 * MIB;
const FILLER = 'filler';
/** More than one piece of a read. */
const CONTENT = 'evidence '.repeat(100_000);

describe('an end between an action and the store of what it made', () => {
  const minio = usePeer(startMinio);
  const source = usePeer(startRecorder);
  let scratch: string;
  let bucket: Bucket;
  let home: TalonHome;
  let talon: Talon | undefined;

  beforeAll(async () => {
    scratch = makeScratch();
    bucket = await minio().bucket('talon-kills');
  });
  afterEach(async () => {
    await talon?.stop();
    talon = undefined;
    home?.remove();
  });
  afterAll(() => removeScratch(scratch));

  it.each(['local:file', 'minio:s3'])('by a kill is followed by a store from the spool: %s', async (target) => {
    const held = await endedWhileStored(target, kill);
    expect(held.artifacts()).toHaveLength(1);
    const output = await held.endAfterRestart();
    expect(output).toMatchObject({ status: 'success' });
    expect(await held.stored()).toEqual([CONTENT]);
    expect(source().requests).toHaveLength(held.calls);
    await waitUntil('the spool to be empty', () => held.artifacts().length === 0);
    expect(await home.plans('open', 'failed', 'parked', 'dead')).toEqual([]);
  });

  it.each([1, 2])('is found by the next server where this one is told to end, with %d signals', async (signals) => {
    let code: number | undefined;
    const held = await endedWhileStored('minio:s3', async (running) => {
      if (signals > 1) running.signal('TERM');
      await sleep(200 * (signals - 1));
      code = await running.stop('TERM');
    });
    // Had it taken more than five seconds, it would have been killed.
    expect(code).toBe(signals === 1 ? 0 : 1);
    expect(held.artifacts()).toHaveLength(1);
    expect(await held.endAfterRestart()).toMatchObject({ status: 'success' });
    expect(await held.stored()).toEqual([CONTENT]);
    expect(source().requests).toHaveLength(held.calls);
    await waitUntil('the spool to be empty', () => held.artifacts().length === 0);
  });

  it.each([
    ['truncated', 'local:file', (file: string) => truncateSync(file, 1000)],
    ['truncated', 'minio:s3', (file: string) => truncateSync(file, 1000)],
    ['emptied', 'local:file', (file: string) => truncateSync(file, 0)],
    ['gone', 'local:file', (file: string) => rmSync(file)],
    ['gone', 'minio:s3', (file: string) => rmSync(file)],
    ['changed', 'local:file', (file: string) => writeFileSync(file, CONTENT.replace('evidence', 'invented'))],
    ['changed', 'minio:s3', (file: string) => writeFileSync(file, CONTENT.replace('evidence', 'invented'))],
  ])('stores nothing that is not what was made: its file is %s, %s', async (how, target, damage) => {
    const held = await endedWhileStored(target, kill);
    damage(join(held.spool, held.artifacts()[0]!));
    const output = await held.endAfterRestart();
    console.log(`e2e: an artifact whose file was ${how} while the server was down, to ${target}: ${output.error}`);
    expect(output).toMatchObject({ status: 'failure', error: expect.stringMatching(/artifact.*(lost|damaged)/) });
    expect(await held.stored()).toEqual([]);
    expect(source().requests).toHaveLength(held.calls);
    await waitUntil('the spool to be empty', () => held.artifacts().length === 0);
    expect(await home.plans('failed')).toMatchObject([{ reason: expect.stringContaining('artifact') }]);
  });

  it('loses none and stores none twice, at random moments', async () => {
    const destination = join(scratch, 'random');
    mkdirSync(destination);
    const given = new Map<string, string[]>();
    source().reply(async ({ target }) => {
      const body = `${target} ${randomInt(2 ** 40)}`;
      given.set(target, [...(given.get(target) ?? []), body]);
      await sleep(randomInt(0, 60));
      return { status: 200, body };
    });
    const output = { target: 'local:file', parameters: { destination } };
    const rules = Array.from({ length: 80 }, (_, number) => {
      const parameters = { url: `${source().url}/case-${number}` };
      const action = { action: 'Keep', actionner: 'webhook:call', parameters, output, on_interrupt: 'retry' };
      return { rule: `Keep ${number}`, match: { rules: [`keep ${number}`] }, actions: [action] };
    });
    home = await TalonHome.make({ rules: JSON.stringify(rules) });
    let kills = 0;
    talon = await home.start();
    for (const [number] of rules.entries()) {
      await talon.post(alertBody({ rule: `keep ${number}`, output: `alert ${number}`, fields: {} }));
      if (number % 8 !== 7) continue;
      await sleep(randomInt(0, 120));
      await talon.stop('KILL');
      kills += 1;
      talon = await home.start();
    }
    await home.untilDone();
    const files = readdirSync(destination)
      .filter((name) => !name.startsWith('.'))
      .map((name) => readFileSync(join(destination, name), 'utf8'));
    const calls = [...given.values()].flat().length;
    console.log(
      `e2e: ${kills} kills amid ${rules.length} calls whose answers are kept: ${calls} made, ${files.length} stored`,
    );
    expect(files.map((text) => text.split(' ')[0]).sort()).toEqual(rules.map((_, number) => `/case-${number}`).sort());
    // The one that was told to the server last, not one of which it learnt nothing.
    expect(files.filter((text) => given.get(text.split(' ')[0]!)?.at(-1) !== text)).toEqual([]);
    expect(readdirSync(join(home.folder, 'state', 'spool'))).toEqual([]);
    expect(await home.plans('open', 'failed', 'parked', 'dead')).toEqual([]);
  }, 60_000);

  /** Has an action done whose artifact finds no way to its store, and ends the server then. */
  async function endedWhileStored(target: string, end: (running: Talon) => Promise<unknown>) {
    const prefix = `case-${randomInt(2 ** 40)}`;
    const destination = join(scratch, prefix);
    mkdirSync(destination);
    writeFileSync(join(destination, FILLER), Buffer.alloc(FOLDER));
    const port = await freePort();
    const abyss = await swallow(port);
    source().reply(() => ({ status: 200, body: CONTENT }));
    const parameters = target === 'local:file' ? { destination } : { bucket: bucket.name, prefix };
    const action = { action: 'Keep', actionner: 'webhook:call', parameters: { url: source().url } };
    home = await TalonHome.make({
      rules: JSON.stringify([
        { rule: 'Keep', match: { rules: ['keep'] }, actions: [{ ...action, output: { target, parameters } }] },
      ]),
      settings: {
        minio: {
          endpoint: `127.0.0.1:${port}`,
          access_key: minio().keys.accessKey,
          secret_key: minio().keys.secretKey,
        },
        local: { max_bytes: FOLDER },
        retry: { attempts: 20, backoff_milliseconds: 100 },
        shutdown_grace_seconds: 1,
      },
    });
    const before = source().requests.length;
    talon = await home.start();
    const trace = await talon.post(alertBody({ rule: 'keep', fields: {} }));
    await talon.line({ message: 'action', trace_id: trace, status: 'success' });
    if (target === 'local:file') await talon.line({ trace_id: trace, status: 'retrying' });
    else await waitUntil('the store to be asked', () => abyss.asked() > 0);
    await end(talon);
    abyss.close();
    rmSync(join(destination, FILLER));
    const spool = join(home.folder, 'state', 'spool');
    return {
      spool,
      artifacts: () => readdirSync(spool),
      calls: before + 1,
      endAfterRestart: async (): Promise<LogLine> => {
        const [host = '', own = ''] = minio().endpoint.split(':');
        const way = await forward({ host: '127.0.0.1', port }, { host, port: Number(own) });
        try {
          talon = await home.start();
          return await talon.line({ message: 'output', trace_id: trace, status: /success|failure/ });
        } finally {
          way.close();
        }
      },
      stored: async (): Promise<readonly string[]> => {
        if (target === 'local:file') {
          return readdirSync(destination).map((name) => readFileSync(join(destination, name), 'utf8'));
        }
        const keys = (await bucket.keys()).filter((key) => key.startsWith(prefix));
        const objects = await Promise.all(keys.map((key) => bucket.get(key)));
        return objects.map(({ content }) => content.toString());
      },
    };
  }
});

function kill(running: Talon): Promise<unknown> {
  return running.stop('KILL');
}

/** A server that takes what comes and never answers. */
async function swallow(port: number): Promise<{ readonly asked: () => number; readonly close: () => void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).resume();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { asked: () => sockets.size, close };
}
