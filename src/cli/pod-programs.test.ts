// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how tokens are written
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Adapters } from '../model/door-row.ts';
import { createKubeAdapters, type KubeAdapters } from '../platform/kube/kube-adapters.ts';
import { runHere, serveExec } from '../platform/kube/programs/exec-server.ts';
import { RecordingApi } from '../platform/kube/recording-api.ts';
import { Spool } from '../platform/spool/spool.ts';
import { createExecutor, type Executor } from '../runtime/plugins/execute.ts';
import { alertWith, memoryRecord } from '../runtime/plugins/executor-fixture.ts';
import { eventTokens } from '../runtime/plugins/tokens.ts';
import { catalog } from './plugins/catalog.ts';
import { pluginScripts } from './plugins/plugin-scripts.gen.ts';
import { workerStart } from './worker-file.ts';

/**
 * Everything between an alert and a program in a container: tokens, sandbox, broker, doors, the WebSocket and a shell. Only the
 * container is this machine.
 */
const folder = mkdtempSync(path.join(tmpdir(), 'talon-programs-'));
const api = new RecordingApi();
let spool: Spool;
let kube: KubeAdapters;
let executor: Executor;

beforeAll(async () => {
  await api.start();
  spool = await Spool.open({ folder: path.join(folder, 'spool'), maxBytes: 2 ** 30 });
  kube = createKubeAdapters({ kubeconfig: api.kubeconfig() }, spool);
  await kube.init();
  const adapters = kube.adapters as unknown as Adapters;
  const worker = workerStart('sandbox');
  executor = createExecutor({ adapters, scripts: pluginScripts, worker, heartbeat: { silence: 20_000 } });
});
afterAll(async () => {
  await executor.end();
  await kube.close();
  await api.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  api.reset();
  const body = { metadata: { name: 'web', uid: 'u' }, spec: { containers: [{ name: 'main' }] } };
  api.answers.set('GET /api/v1/namespaces/shop/pods/web', { status: 200, body });
  serveExec(api, runHere);
});

async function run(id: string, parameters: object, fields: object = {}, milliseconds = 20_000) {
  const actionner = catalog.actionners.get(id);
  if (!actionner) throw new Error('the test is wrong');
  const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop', ...fields });
  const tokens = () => eventTokens(event, new Map([['falco-talon.rule', "a rule's name"]]));
  const { record } = memoryRecord();
  const step = { actionner, parameters, event, tokens, record, milliseconds, keeps: id === 'kubernetes:download' };
  return executor.run(step, new AbortController().signal);
}

const HOSTILE = [
  `a; touch ${folder}/pwned`,
  `$(touch ${folder}/pwned)`,
  `\`touch ${folder}/pwned\``,
  `'; touch ${folder}/pwned; '`,
  `"; touch ${folder}/pwned; "`,
  `x\ntouch ${folder}/pwned\n`,
  `&& touch ${folder}/pwned || 😀`,
];
const isSafe = () => {
  expect(() => readFileSync(path.join(folder, 'pwned'))).toThrow('ENOENT');
};

describe('values of an alert', () => {
  it.each(HOSTILE)('are data in a command, in a script and in a long one: %j', async (value) => {
    const expected = {
      status: 'success',
      output: `<${value}>a rule's name`,
      objects: { pod: 'web', namespace: 'shop' },
    };
    const text = 'printf "<%s>%s" "${FD_NAME}" "${FALCO-TALON_RULE}"';
    const fields = { 'fd.name': value };
    expect(await run('kubernetes:exec', { command: text }, fields)).toEqual(expected);
    expect(await run('kubernetes:script', { script: text }, fields)).toEqual(expected);
    expect(await run('kubernetes:script', { script: `# ${'x'.repeat(9000)}\n${text}` }, fields)).toEqual(expected);
    isSafe();
  });

  it.each(HOSTILE)('are refused in a script for another interpreter: %j', async (value) => {
    const parameters = { script: 'console.log("${FD_NAME}")', shell: process.execPath };
    expect(await run('kubernetes:script', parameters, { 'fd.name': value })).toMatchObject({
      status: 'failure',
      code: 'refused',
      error: expect.stringContaining("the token 'FD_NAME'"),
    });
    expect(await run('kubernetes:script', parameters, { 'fd.name': '/etc/x-1' })).toMatchObject({
      output: '/etc/x-1\n',
    });
    isSafe();
  });

  it.each(HOSTILE)('are the name of a file, and nothing else, in a download: %j', async (value) => {
    // As the name of one file.
    const name = value.replaceAll('/', '|');
    const file = path.join(folder, name);
    writeFileSync(file, Buffer.of(0, 255, 10));
    const outcome = await run('kubernetes:download', { file: '${FD_NAME}' }, { 'fd.name': file });
    expect(outcome).toMatchObject({
      status: 'success',
      output: `the file '${file}' has been downloaded`,
      objects: { pod: 'web', namespace: 'shop', file },
      artifact: { size: 3 },
    });
    const { artifact } = outcome as { artifact?: { handle: string } };
    expect([...(await buffer(spool.read(artifact?.handle ?? '')))]).toEqual([0, 255, 10]);
    isSafe();
  });

  it.each(['', '../../etc/shadow', '/etc/../etc/shadow', 'x'.repeat(1_000_000)])(
    'lead to no other file: %.30j',
    async (value) => {
      const outcome = await run('kubernetes:download', { file: '${FD_NAME}' }, { 'fd.name': value });
      expect(outcome).toMatchObject({
        status: 'failure',
        code: 'refused',
        error: expect.stringMatching(/^the path '/),
      });
      expect(api.seen).toEqual([]);
    },
  );

  it('may be long', async () => {
    const value = 'v'.repeat(200_000);
    const outcome = await run('kubernetes:exec', { command: 'echo ${#PROC_CMDLINE}' }, { 'proc.cmdline': value });
    expect(outcome).toMatchObject({ status: 'success', output: '200000\n' });
    const tooLong = await run(
      'kubernetes:exec',
      { command: 'echo $PROC_CMDLINE' },
      { 'proc.cmdline': 'v'.repeat(1_000_000) },
    );
    expect(tooLong).toMatchObject({
      status: 'failure',
      code: 'refused',
      error: expect.stringContaining('longer than 262144 characters'),
    });
  });
});

describe('what a program writes', () => {
  it.each([']', '[', '[1;', ' ', 'P'])(
    'is taken in good time, whatever it begins to say to a terminal: ESC %s',
    async (begin) => {
      const once = `printf '\\033${begin}'; head -c 260000 /dev/zero | tr '\\0' 1`;
      const often = `yes "$(printf '\\033${begin}11')" | head -c 260000`;
      for (const command of [once, often]) {
        expect(await run('kubernetes:exec', { command })).toMatchObject({ status: 'success' });
      }
    },
  );
});

describe('the end of a program', () => {
  it('is the end of the action', async () => {
    expect(await run('kubernetes:exec', { command: 'echo why >&2; exit 7' })).toEqual({
      status: 'failure',
      code: 'refused',
      error: 'why (exit code 7)',
      objects: { pod: 'web', namespace: 'shop' },
    });
  });

  it('comes by itself when the action is over', async () => {
    const started = performance.now();
    const marker = path.join(folder, 'late');
    const command = `sleep 3; touch ${marker}`;
    const outcome = await run('kubernetes:exec', { command }, {}, 1000);
    expect(outcome).toMatchObject({ status: 'failure' });
    expect(performance.now() - started).toBeLessThan(3000);
    await new Promise((resolve) => setTimeout(resolve, 3500));
    expect(() => readFileSync(marker)).toThrow('ENOENT');
  });
});
