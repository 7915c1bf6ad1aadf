import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Capture } from '../../model/capability.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { ArtifactRef, ContainerRef } from '../../model/references.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { OBJECTS as objects, POD, runNoted } from '../../runtime/plugins/action-fixture.ts';
import { tcpdump } from './tcpdump.ts';

const CONTAINER: ContainerRef = { kind: 'container', ref: 1, name: 'falco-talon-tcpdump-abcde' };
const ARTIFACT: ArtifactRef = {
  ...{ kind: 'artifact', ref: 2, name: 'tcpdump.pcap', size: 24 },
  ...{ sha256: 's', mediaType: 'application/vnd.tcpdump.pcap' },
};

async function runTcpdump(parameters: ParameterMap, capture: Partial<Capture> = {}) {
  const answers = {
    'captures.inPod': CONTAINER,
    'pods.capture': { code: 0, stderr: '', artifact: ARTIFACT, ...capture },
  };
  const { calls, result } = await runNoted(tcpdump, { parameters, keeps: true, answers });
  return { calls, result, program: (calls[1]?.[2] ?? []) as readonly string[] };
}

describe('kubernetes:tcpdump', () => {
  it.each<[ParameterMap, string, string[]]>([
    [{}, 'issif/tcpdump:latest', ['5', '4096']],
    [{ duration: 0, snaplen: 0, image: '' }, 'issif/tcpdump:latest', ['5', '0']],
    [{ duration: 120, snaplen: 96, image: 'mine:1' }, 'mine:1', ['120', '96']],
  ])('captures with %j', async (given, image, operands) => {
    const { calls, result, program } = await runTcpdump(given);
    const file = { name: 'tcpdump.pcap', mediaType: 'application/vnd.tcpdump.pcap' };
    expect(calls).toEqual([
      ['captures.inPod', POD, image, Number(operands[0]) + 60],
      ['pods.capture', CONTAINER, ['sh', '-c', expect.any(String), 'tcpdump', ...operands], file],
    ]);
    expect(program[2]).not.toMatch(/\$\{/);
    const output = "a tcpdump 'tcpdump.pcap' has been created";
    expect(result).toEqual({ status: 'success', output, objects, artifact: ARTIFACT });
  });

  it('has the time that it needs', () => {
    expect(tcpdump.behaviour?.lasts?.({ duration: 120, image: '', snaplen: 0 })).toBe(170);
  });

  it.each([
    ['what tcpdump says', "tcpdump: any: You don't have permission\n", "tcpdump: any: You don't have permission"],
    ['how it ended, where it says nothing', '', 'tcpdump ended with 1'],
  ])('fails with %s', async (_, stderr, message) => {
    const failed = runTcpdump({}, { code: 1, stderr, artifact: null });
    await expect(failed).rejects.toMatchObject({ code: 'refused', message, objects });
  });

  it.each<[ParameterMap, string]>([
    [{ duration: -1 }, "parameter 'duration' must be at least 0"],
    [{ duration: 3601 }, "parameter 'duration' must be at most 3600"],
    [{ duration: '5' }, "parameter 'duration' must be a number, got a string"],
    [{ snaplen: -1 }, "parameter 'snaplen' must be at least 0"],
  ])('refuses the parameters %j', (given, message) => {
    expect(decodeParameters(tcpdump.parameters, given)).toMatchObject({ ok: false, problems: [{ message }] });
  });
});

describe('the script of kubernetes:tcpdump', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'talon-tcpdump-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs it with a program in the place of tcpdump. */
  async function runScript(fake: string, given: ParameterMap = { duration: 1 }) {
    const { program } = await runTcpdump(given);
    const [shell = '', ...rest] = program.map((each) => each.replaceAll('/tmp/', `${folder}/`));
    writeFileSync(path.join(folder, 'tcpdump'), `#!/bin/sh\n${fake}\n`, { mode: 0o700 });
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync(shell, rest, { encoding: 'utf8', env });
    return { status, stdout, stderr };
  }

  it('asks tcpdump for what was wanted, and gives the file back', async () => {
    const fake = 'echo "$*"; echo listening >&2';
    const { status, stdout, stderr } = await runScript(fake, { duration: 3, snaplen: 96 });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '-n -i any -s 96 -w -\n' });
    expect(stderr).toBe('listening\n');
  });

  it('ends a tcpdump that goes on, and takes that for the normal end', async () => {
    // The signal may come to it and, with that to its group, once more.
    const flushing = 'trap \'trap "" TERM; printf packets; kill $!; exit 0\' TERM; sleep 60 & wait';
    expect(await runScript(flushing)).toMatchObject({ status: 0, stdout: 'packets' });
  });

  it.each(['124', '143'])('knows the normal end by %s, too', async (code) => {
    expect(await runScript(`printf packets; exit ${code}`)).toMatchObject({
      status: 0,
      stdout: 'packets',
    });
  });

  it('fails as tcpdump does, and gives back nothing then', async () => {
    const fake = 'printf packets; echo "no permission" >&2; exit 1';
    expect(await runScript(fake)).toEqual({ status: 1, stdout: '', stderr: 'no permission\n' });
  });

  it('says that there were too many packets', async () => {
    const { status, stderr } = await runScript('exit 153');
    expect({ status, stderr }).toEqual({ status: 153, stderr: 'there were more than 512 MiB of packets\n' });
  });
});
