import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Capture } from '../../model/capability.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { ArtifactRef, ContainerRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { POD, runNoted } from '../../runtime/plugins/action-fixture.ts';
import { sysdig } from './sysdig.ts';

const CONTAINER: ContainerRef = { kind: 'container', ref: 1, name: 'falco-talon-sysdig' };
const JOB = 'falco-talon-sysdig-abcde';
const ARTIFACT: ArtifactRef = {
  ...{ kind: 'artifact', ref: 2, name: 'sysdig.scap.gz', size: 24 },
  ...{ sha256: 's', mediaType: 'application/gzip' },
};
const ID = '0123456789abcdef'.repeat(4);
const objects = { pod: 'web', namespace: 'shop', job: JOB };

interface World {
  readonly ids?: readonly string[];
  readonly capture?: Partial<Capture>;
}

async function runSysdig(parameters: ParameterMap, { ids = [ID], capture = {} }: World = {}) {
  const answers = {
    'pods.containerIds': ids,
    'captures.onNode': { container: CONTAINER, job: JOB },
    'pods.capture': { code: 0, stderr: '', artifact: ARTIFACT, ...capture },
  };
  const { calls, result } = await runNoted(sysdig, { parameters, keeps: true, answers });
  return { calls, result, program: (calls.at(-1)?.[2] ?? []) as readonly string[] };
}

describe('kubernetes:sysdig', () => {
  const file = { name: 'sysdig.scap.gz', mediaType: 'application/gzip' };
  const created = {
    status: 'success',
    output: "a sysdig capture 'sysdig.scap.gz' has been created",
    objects,
    artifact: ARTIFACT,
  };

  it('captures what the containers of the pod do', async () => {
    const { calls, result } = await runSysdig({}, { ids: [ID, 'ffffffffffffffff'] });
    const operands = ['5', '2048', 'container.id in (0123456789ab,ffffffffffff)'];
    expect(calls).toEqual([
      ['pods.containerIds', POD],
      ['captures.onNode', POD, 'issif/sysdig:latest', 65],
      ['pods.capture', CONTAINER, ['sh', '-c', expect.any(String), 'sysdig', ...operands], file],
    ]);
    expect(result).toEqual(created);
  });

  it('captures what the whole node does, where that is asked for', async () => {
    const { calls, result } = await runSysdig({ scope: 'node', duration: 10, buffer_size: 128, image: 'mine:1' });
    expect(calls).toEqual([
      ['captures.onNode', POD, 'mine:1', 70],
      ['pods.capture', CONTAINER, ['sh', '-c', expect.any(String), 'sysdig', '10', '128', ''], file],
    ]);
    expect(result).toEqual(created);
  });

  it.each([
    ['no container', []],
    ['containers without an id', ['']],
    ['ids that would change the filter', ['a) or (b', 'a,b', 'a b', '"']],
  ])('does not take the node for a pod with %s', async (_, ids) => {
    const failed = runSysdig({}, { ids });
    await expect(failed).rejects.toMatchObject({
      ...{ code: 'refused', message: 'no container found', objects: { pod: 'web' } },
    });
  });

  it.each([
    ['what sysdig says', 'cannot load the probe\n', 'cannot load the probe'],
    ['how it ended, where it says nothing', '', 'sysdig ended with 1'],
  ])('fails with %s', async (_, stderr, message) => {
    const failed = runSysdig({}, { capture: { code: 1, stderr, artifact: null } });
    await expect(failed).rejects.toMatchObject({ code: 'refused', message, objects });
  });

  it.each<[ParameterMap, string]>([
    [{ duration: -1 }, "parameter 'duration' must be at least 1"],
    [{ duration: 31 }, "parameter 'duration' must be at most 30"],
    [{ buffer_size: 127 }, "parameter 'buffer_size' must be at least 128"],
    [{ scope: 'cluster' }, "parameter 'scope' must be 'pod' or 'node'"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(sysdig.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});

describe('the script of kubernetes:sysdig', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-sysdig-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it with a program in the place of sysdig, on a node with these sockets. */
  async function runScript(fake: string, given: ParameterMap, isSocket: (file: string) => boolean = () => false) {
    const { program } = await runSysdig(given);
    writeFileSync(path.join(folder, 'sysdig'), `#!/bin/sh\n${fake}\n`, { mode: 0o700 });
    const sockets = ['containerd/containerd.sock', 'crio/crio.sock', 'k3s/containerd/containerd.sock'];
    const [shell = '', ...rest] = program.map((each) => each.replaceAll('/tmp/', `${folder}/`));
    const tests = sockets.map((file) => `/host/run/${file}) return ${isSocket(file) ? 0 : 1};;`).join(' ');
    // What it looks for is not there on the machine of the test.
    rest[1] = `socket_there() { case $1 in ${tests} *) return 1;; esac; }\n${rest[1]?.replace('[ -S "/host/run/$socket" ]', 'socket_there "/host/run/$socket"')}`;
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync(shell, rest, { encoding: 'utf8', env });
    return { status, stdout, stderr };
  }
  const NOTING = `file=; for each in "$@"; do [ "$last" = -w ] && file=$each; last=$each; done
for each in "$@"; do printf '<%s>' "$each"; done > "$file"`;

  it('asks sysdig for what was wanted, the filter in one piece, and gives the file back', async () => {
    const { status, stdout, stderr } = await runScript(NOTING, { duration: 7, buffer_size: 256 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const rest = `<-M><7><-s><256><-z><-w><${folder}/sysdig.scap.gz><container.id in (0123456789ab)>`;
    expect(stdout).toBe(`<--modern-bpf>${rest}`);
  });

  it.each([
    [(file: string) => file.startsWith('containerd'), '/run/containerd/containerd.sock'],
    [(file: string) => file.startsWith('crio'), '/run/crio/crio.sock'],
    [() => true, '/run/containerd/containerd.sock'],
  ])('names the socket of the runtime that is there: %#', async (isSocket, socket) => {
    const { stdout } = await runScript(NOTING, { scope: 'node' }, isSocket);
    expect(stdout).toBe(`<--modern-bpf><--cri><${socket}><-M><5><-s><2048><-z><-w><${folder}/sysdig.scap.gz>`);
  });

  it('fails as sysdig does, and keeps what it printed away from the capture', async () => {
    const fake = 'echo on stdout; echo "no probe" >&2; exit 3';
    expect(await runScript(fake, {})).toEqual({ status: 3, stdout: '', stderr: 'on stdout\nno probe\n' });
  });
});
