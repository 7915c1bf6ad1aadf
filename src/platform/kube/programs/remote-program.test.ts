import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerTarget } from '../../../model/targets.ts';
import { type KubeClient, openKubeClient } from '../kube-client.ts';
import { failureOf, pod, signal } from '../recorded-kube.ts';
import { RecordingApi, statusOf } from '../recording-api.ts';
import { type ExecRun, refuseExec, serveExec } from './exec-server.ts';
import { EXEC_TIMES, startProgram } from './remote-program.ts';

const CONTAINER: ContainerTarget = { kind: 'container', name: 'main', pod: pod() };
const TIMES = { ...EXEC_TIMES, answer: 300, ping: 20, silence: 200 };

const api = new RecordingApi();
let client: KubeClient;
beforeAll(async () => {
  await api.start();
  client = openKubeClient({ kubeconfig: api.kubeconfig() });
});
afterAll(async () => {
  await client.close();
  await api.stop();
});
beforeEach(() => api.reset());

const start = (run?: ExecRun) => {
  if (run) serveExec(api, run);
  return startProgram(client, { container: CONTAINER, program: ['x'], stdin: '' }, signal, TIMES);
};

describe('startProgram', () => {
  it('does not mind a program that is silent for long', async () => {
    const { ended } = await start(async (side) => {
      await sleep(700);
      await side.exit(2);
    });
    expect(await ended).toMatchObject({ code: 2 });
  });

  it('does not take one for dead whose output nobody reads for a while', async () => {
    const { stdout, ended } = await start(async (side) => {
      for (let part = 0; part < 100; part++) await side.stdout(Buffer.alloc(100_000));
      await side.exit(0);
    });
    await sleep(700);
    expect((await buffer(stdout)).length).toBe(10_000_000);
    expect(await ended).toMatchObject({ code: 0 });
  });

  it('gives up on a connection that is dead', async () => {
    const { stdout, ended } = await start((side) => side.socket.pause());
    const failure = { code: 'interrupted', message: expect.stringContaining('silence for 0.2 s') };
    expect(await failureOf(ended)).toMatchObject(failure);
    expect(stdout.destroyed).toBe(true);
  });

  it('gives up on an API server that does not answer', async () => {
    api.upgrade = () => undefined;
    const failure = { code: 'unreachable', message: expect.stringContaining('timed out') };
    expect(await failureOf(start())).toMatchObject(failure);
  });

  it('reads no more of a refusal than somebody wants', async () => {
    let closed = false;
    api.upgrade = (_, socket) => {
      socket.on('close', () => {
        closed = true;
      });
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n');
      const part = 'x'.repeat(65_536);
      const more = () => {
        while (!closed && socket.write(part));
        if (!closed) socket.once('drain', more);
      };
      more();
    };
    expect(await failureOf(start())).toMatchObject({ code: 'refused', message: expect.stringMatching(/403: x{100}/) });
    await expect.poll(() => closed).toBe(true);
  });

  it('takes a refusal for no refusal while the API server starts', async () => {
    const forbidden = statusOf(
      403,
      'Forbidden',
      'pods "web" is forbidden: User "talon" cannot get resource "pods/exec"',
    );
    refuseExec(api, forbidden);
    const fresh = openKubeClient({ kubeconfig: api.kubeconfig() });
    const run = () => startProgram(fresh, { container: CONTAINER, program: ['x'], stdin: '' }, signal, TIMES);
    expect(await failureOf(run())).toMatchObject({ code: 'refused' });
    // A refusal is an answer, and says nothing of the server being away.
    expect(await failureOf(run())).toMatchObject({ code: 'refused' });
    api.upgrade = (_, socket) => socket.destroy();
    expect(await failureOf(run())).toMatchObject({ code: 'unreachable' });
    refuseExec(api, forbidden);
    expect(await failureOf(run())).toMatchObject({ code: 'unreachable' });
    await fresh.close();
  });
});
