import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DoorError } from '../../../model/door-error.ts';
import type { ContainerTarget } from '../../../model/targets.ts';
import { Spool } from '../../spool/spool.ts';
import { createKubeAdapters, type KubeAdapters } from '../kube-adapters.ts';
import { failureOf, POD_PATH, pod, signal } from '../recorded-kube.ts';
import { RecordingApi, statusOf, TOKEN } from '../recording-api.ts';
import { type ExecRun, type ExecSide, refuseExec, runHere, serveExec } from './exec-server.ts';

const CONTAINER: ContainerTarget = { kind: 'container', name: 'main', pod: pod() };
const FILE = { name: '_etc_motd', mediaType: 'application/octet-stream' };
const NO_NODE = 'error dialing backend: dial tcp 10.0.0.1:10250: connect: ';
const MOST = 128 * 1024;
const MOST_ERRORS = 16 * 1024;

const api = new RecordingApi();
const spoolFolder = mkdtempSync(path.join(tmpdir(), 'talon-exec-'));
let spool: Spool;
let kube: KubeAdapters;

beforeAll(async () => {
  await api.start();
  spool = await Spool.open({ folder: path.join(spoolFolder, 'spool'), maxBytes: 2 ** 31, maxArtifactBytes: 2 ** 30 });
  kube = createKubeAdapters({ kubeconfig: api.kubeconfig() }, spool);
  await kube.init();
});
afterAll(async () => {
  await kube.close();
  await api.stop();
  rmSync(spoolFolder, { recursive: true });
});
beforeEach(() => api.reset());

const exec = (program: readonly string[], stdin = '', over = signal) =>
  kube.adapters['pods.exec'](CONTAINER, program, stdin, over);
const capture = (program: readonly string[] = ['cat'], over = signal) =>
  kube.adapters['pods.capture'](CONTAINER, program, FILE, over);
const spooled = () => readdirSync(path.join(spoolFolder, 'spool'));

async function bytesOf(handle: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of spool.read(handle)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('pods.exec', () => {
  it('runs a program as it is given, without a terminal, in the container of the reference', async () => {
    const calls = serveExec(api, runHere);
    const program = ['printf', '%s|', 'a b', '$(id)', '"x"', "it's", '+&=%00', '😀\n'];
    expect(await exec(program)).toEqual({
      code: 0,
      stdout: 'a b|$(id)|"x"|it\'s|+&=%00|😀\n|',
      stderr: '',
      truncated: false,
    });
    expect(calls).toEqual([{ path: `${POD_PATH}/exec`, container: 'main', program, input: false }]);
    expect(api.seen[0]).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    expect(api.seen[0]?.line).not.toContain('tty');
  });

  it.each([0, 1, 7, 126, 255])('tells the exit code %i, and keeps stdout and stderr apart', async (code) => {
    serveExec(api, runHere);
    expect(await exec(['sh', '-c', `echo out; echo err >&2; exit ${code}`])).toEqual({
      code,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: false,
    });
  });

  it('writes the input, whose length the program has to know', async () => {
    serveExec(api, runHere);
    expect(await exec(['head', '-c', '14'], 'two\nlines 😀')).toMatchObject({ code: 0, stdout: 'two\nlines 😀' });
    const long = 'x'.repeat(200_000);
    expect(await exec(['sh', '-c', 'head -c 200000 | wc -c'], long)).toMatchObject({
      stdout: expect.stringContaining('200000'),
    });
  });

  it('gives a program without an input one that is at its end', async () => {
    const calls = serveExec(api, runHere);
    expect(await exec(['cat'])).toMatchObject({ code: 0, stdout: '' });
    expect(calls).toMatchObject([{ input: false }]);
  });

  it('does not mind a program that ends before it has read its input', async () => {
    serveExec(api, (side) => side.exit(3));
    expect(await exec(['true'], 'x'.repeat(MOST))).toMatchObject({ code: 3 });
  });

  it('keeps the beginning of each stream, says so, and waits for the end all the same', async () => {
    serveExec(api, async (side) => {
      for (let part = 0; part < 20; part++) {
        await side.stdout('é'.repeat(32 * 1024));
        await side.stderr('e'.repeat(20 * 1024));
      }
      await side.exit(4);
    });
    const { code, stdout, stderr, truncated } = await exec(['yes']);
    expect([code, truncated]).toEqual([4, true]);
    expect([stdout, stderr].map((text) => Buffer.byteLength(text))).toEqual([MOST, MOST_ERRORS]);
  });

  it('cuts no character in two, and replaces what is no text', async () => {
    serveExec(api, async (side) => {
      await side.stdout(`x${'é'.repeat(MOST)}`);
      await side.stderr(Buffer.of(0x61, 0xff, 0x62));
      await side.exit(0);
    });
    const { stdout, stderr } = await exec(['x']);
    expect(stdout).toBe(`x${'é'.repeat(MOST / 2 - 1)}`);
    expect(stderr).toBe('a\ufffdb');
  });

  it.each([
    'OCI runtime exec failed: exec: "x": executable file not found in $PATH',
    'container not found ("main")',
    '',
  ])('takes a program that could not be started for one that ended with 126: %s', async (message) => {
    serveExec(api, (side) => side.fail(message));
    expect(await exec(['x'])).toEqual({
      code: 126,
      stdout: '',
      stderr: message || 'the program could not be started',
      truncated: false,
    });
  });

  it.each([
    [500, 'unable to upgrade connection: container not found ("main")'],
    [404, 'container not found ("main")'],
  ])('so too where the node refuses with %i', async (code, message) => {
    refuseExec(api, { status: code, body: message });
    const { stderr, ...end } = await exec(['x']);
    expect(end).toEqual({ code: 126, stdout: '', truncated: false });
    expect(stderr).toContain(message);
  });

  it.each<[string, ReturnType<typeof statusOf>, object]>([
    [
      'a pod that is not there',
      statusOf(404, 'NotFound', 'pods "web" not found'),
      { code: 'not-found', message: "the pod 'web' in the namespace 'shop' doesn't exist" },
    ],
    [
      'a right that is missing',
      statusOf(403, 'Forbidden', 'pods "web" is forbidden: no exec'),
      { code: 'refused', message: 'pods "web" is forbidden: no exec' },
    ],
    [
      'a pod that has ended',
      statusOf(400, 'BadRequest', 'cannot exec into a container in a completed pod; current phase is Failed'),
      { code: 'refused', message: 'cannot exec into a container in a completed pod; current phase is Failed' },
    ],
    ['a conflict', statusOf(409, 'Conflict', 'changed'), { code: 'conflict', message: 'changed' }],
    [
      'too many requests',
      { ...statusOf(429, 'TooManyRequests', 'slow down'), headers: { 'retry-after': '3' } },
      { code: 'busy', retryAfterMs: 3000 },
    ],
    ['a server error', statusOf(500, 'InternalError', 'etcd is slow'), { code: 'busy' }],
    ['a proxy', { status: 502, body: '<html>bad gateway: dial tcp' }, { code: 'unreachable' }],
    [
      'a node that does not answer',
      { status: 500, body: { kind: 'Status', message: `${NO_NODE}connection refused`, code: 500 } },
      {
        code: 'busy',
        message: expect.stringContaining(
          `does not reach the node of the pod: the Kubernetes API answered 500: ${NO_NODE}`,
        ),
      },
    ],
    [
      'a node that has just been started',
      { status: 404, body: 'pod does not exist' },
      { code: 'busy', message: expect.stringContaining('the node of the pod does not know of it') },
    ],
  ])('fails for %s', async (_, answer, expected) => {
    refuseExec(api, answer);
    expect(await failureOf(exec(['x']))).toMatchObject(expected);
    expect(await failureOf(capture())).toMatchObject(expected);
  });

  it.each<[string, ExecRun, object]>([
    [
      'a node that does not answer',
      (side) => side.fail(`${NO_NODE}connection refused`),
      { code: 'busy', message: expect.stringContaining('does not reach the node of the pod: error dialing backend') },
    ],
    [
      'a node that has just been started',
      (side) => side.fail('unable to upgrade connection: pod does not exist'),
      { code: 'busy', message: expect.stringContaining('the node of the pod does not know of it') },
    ],
    [
      'a node that is lost in the middle',
      (side) => side.fail('error reading from error stream: unexpected EOF'),
      { code: 'interrupted', message: expect.stringContaining('nobody knows how the program ended') },
    ],
    [
      'a program that was lost after it had written something',
      async (side) => {
        await side.stderr('so far');
        await side.fail('something unheard of');
      },
      { code: 'interrupted', message: expect.stringContaining('something unheard of') },
    ],
    [
      'a connection that ends before the program',
      async (side) => {
        await side.stdout('something');
        side.socket.terminate();
      },
      {
        code: 'interrupted',
        message: 'nobody knows how the program ended: the connection ended before its end was told',
      },
    ],
    [
      'a connection that is closed in good order before the program ends',
      (side) => side.socket.close(),
      { code: 'interrupted', message: expect.stringContaining('before its end was told') },
    ],
    [
      'a status that is none',
      (side) => side.socket.send(Buffer.from('\u0003nonsense')),
      { code: 'refused', message: expect.stringContaining('did not say how the program ended: nonsense') },
    ],
  ])('fails for %s', async (_, run, expected) => {
    serveExec(api, run);
    expect(await failureOf(exec(['x']))).toMatchObject(expected);
    expect(await failureOf(capture())).toMatchObject(expected);
    expect(spooled()).toEqual([]);
  });

  it('fails for a server that is not there, without a word of the token', async () => {
    const gone = new RecordingApi();
    await gone.start();
    const lost = createKubeAdapters({ kubeconfig: gone.kubeconfig() });
    await lost.init();
    const folder = gone.kubeconfig();
    await gone.stop();
    const failure = await failureOf(lost.adapters['pods.exec'](CONTAINER, ['x'], '', signal));
    expect(failure).toBeInstanceOf(DoorError);
    expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    expect(String(failure) + folder).not.toContain(TOKEN);
    await lost.close();
  });

  it('goes through the proxy that the kubeconfig names', async () => {
    const seen: string[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url = '' }, socket, head) => {
      seen.push(url);
      const [host, port] = url.split(':');
      const through = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.write(head);
        through.pipe(socket).pipe(through);
      });
      for (const each of [socket, through]) each.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const file = api.kubeconfig('proxied');
    const config = readFileSync(file, 'utf8').replace('"server":', `"proxy-url":"http://127.0.0.1:${port}","server":`);
    writeFileSync(file, config);
    const proxied = createKubeAdapters({ kubeconfig: file });
    await proxied.init();
    serveExec(api, runHere);
    const end = await proxied.adapters['pods.exec'](CONTAINER, ['sh', '-c', 'head -c 4; exit 6'], 'text', signal);
    expect(end).toMatchObject({ code: 6, stdout: 'text' });
    expect(seen).toHaveLength(1);
    await proxied.close();
    proxy.close();
  });

  it('takes no protocol in which the API server tells an end that the node did not tell', async () => {
    serveExec(api, runHere, 'v5.channel.k8s.io');
    expect(await failureOf(exec(['true']))).toBeInstanceOf(DoorError);
  });

  it('closes the connection when the step is over', async () => {
    const over = new AbortController();
    const { promise: closed, resolve } = gate();
    serveExec(api, (side) => {
      side.socket.on('close', () => resolve());
      over.abort(new Error('the step is over'));
    });
    expect(await failureOf(exec(['sleep', '1000'], '', over.signal))).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('the step is over'),
    });
    await closed;
    expect(await failureOf(exec(['x'], '', over.signal))).toMatchObject({ code: 'unreachable' });
    expect(api.seen).toHaveLength(1);
  });

  it('does not wait for a server that does not close the connection', async () => {
    serveExec(api, (side) => {
      side.socket.close = () => undefined;
      return side.exit(0);
    });
    expect(await exec(['x'])).toMatchObject({ code: 0 });
  });
});

describe('pods.capture', () => {
  it('stores every byte of the output', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31) % 256));
    serveExec(api, async (side) => {
      for (let start = 0; start < bytes.length; start += 999) await side.stdout(bytes.subarray(start, start + 999));
      await side.stderr('a warning');
      await side.exit(0);
    });
    const { artifact, ...end } = await capture();
    expect(end).toEqual({ code: 0, stderr: 'a warning' });
    expect(artifact).toMatchObject({ kind: 'artifact', ...FILE, size: bytes.length });
    expect((await bytesOf(artifact?.handle ?? '')).equals(bytes)).toBe(true);
    await spool.remove(artifact?.handle ?? '');
  });

  it('stores an output without a byte', async () => {
    serveExec(api, (side) => side.exit(0));
    const { artifact } = await capture();
    expect(artifact).toMatchObject({ size: 0 });
    await spool.remove(artifact?.handle ?? '');
  });

  it.each<[string, ExecRun, object]>([
    [
      'fails',
      async (side) => {
        await side.stdout('the first half');
        await side.stderr('cat: read error');
        await side.exit(1);
      },
      { code: 1, stderr: 'cat: read error' },
    ],
    ['could not be started', (side) => side.fail('no such program'), { code: 126, stderr: 'no such program' }],
  ])('keeps nothing of a program that %s', async (_, run, end) => {
    serveExec(api, run);
    expect(await capture()).toEqual({ ...end, artifact: null });
    expect(spooled()).toEqual([]);
  });

  it('closes the connection when the artifact is too large', async () => {
    const small = await Spool.open({
      folder: path.join(spoolFolder, 'small'),
      maxBytes: 2 ** 20,
      maxArtifactBytes: 2 ** 16,
    });
    const other = createKubeAdapters({ kubeconfig: api.kubeconfig() }, small);
    await other.init();
    const { promise: closed, resolve } = gate();
    serveExec(api, (side) => endless(side, resolve));
    const failure = await failureOf(other.adapters['pods.capture'](CONTAINER, ['x'], FILE, signal));
    expect(failure).toMatchObject({ code: 'refused', message: expect.stringContaining('is larger than 65536 bytes') });
    await closed;
    await other.close();
  });

  it('makes no artifact without a spool, and says so', async () => {
    const none = createKubeAdapters({ kubeconfig: api.kubeconfig() });
    await none.init();
    serveExec(api, (side) => side.exit(0));
    const failure = await failureOf(none.adapters['pods.capture'](CONTAINER, ['x'], FILE, signal));
    expect(failure).toMatchObject({ code: 'refused', message: 'there is no spool for artifacts' });
    await none.close();
  });

  it('lets the other side wait while the spool is slow, and holds little of what comes', async () => {
    const { promise: slow, resolve: hurry } = gate();
    let taken = 0;
    const hesitant = {
      read: (handle: string) => spool.read(handle),
      write: async (name: string, mediaType: string, source: AsyncIterable<Uint8Array>) => {
        for await (const chunk of source) {
          taken += chunk.length;
          await slow;
        }
        return { handle: '0'.repeat(32), name, mediaType, size: taken, sha256: '' };
      },
    };
    const other = createKubeAdapters({ kubeconfig: api.kubeconfig() }, hesitant);
    await other.init();
    const all = 64 * 2 ** 20;
    let written = 0;
    serveExec(api, async (side) => {
      const chunk = Buffer.alloc(32 * 1024);
      for (; written < all; written += chunk.length) await side.stdout(chunk);
      await side.exit(0);
    });
    const captured = other.adapters['pods.capture'](CONTAINER, ['x'], FILE, signal);
    // Until nothing more is written: buffers of the sockets on both sides, and those of the stream.
    let before = -1;
    while (written === 0 || written !== before) {
      before = written;
      await sleep(200);
    }
    expect(written).toBeLessThan(all / 2);
    hurry();
    expect((await captured).artifact).toMatchObject({ size: all });
    await other.close();
  });
});

/** Writes until the connection is closed. */
async function endless(side: ExecSide, closed: () => void): Promise<void> {
  side.socket.on('close', closed);
  const chunk = Buffer.alloc(16 * 1024);
  while (side.socket.readyState === side.socket.OPEN) await side.stdout(chunk);
}

function gate() {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
