import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import type { LogRecord } from '../../model/log-record.ts';
import { InputFiles } from '../../platform/files/input-files.ts';
import { logTransition } from '../../platform/telemetry/transition-log.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import { Health } from '../../runtime/health.ts';
import { catalog } from '../plugins/catalog.ts';
import { Refused } from '../refused.ts';
import { loadPolicy, type PolicySources } from './load-policy.ts';
import { Reloader } from './reload.ts';

const label = (name: string) =>
  `- rule: ${name}\n  match: {}\n  actions: [{action: A, actionner: kubernetes:label, parameters: {labels: {a: b}}}]\n`;
const script = (name: string, file: string) =>
  `- rule: ${name}\n  match: {}\n  actions: [{action: A, actionner: kubernetes:script, parameters: {file: ${file}}}]\n`;
const INVALID = '- rule: Broken\n  match: {priority: nope}\n';
const NEVER = 2 ** 31 - 1;

describe('Reloader', () => {
  let folder: string;
  let file: string;
  let reloader: Reloader;
  let health: Health;
  let lines: LogRecord[];
  let active: string[][];
  let guards: string[][];
  let drawn: string;
  let activation: () => Promise<void>;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'talon-reload-'));
    file = path.join(folder, 'rules.yaml');
    lines = [];
    active = [];
    guards = [];
    drawn = '';
    activation = async () => undefined;
  });
  afterEach(() => {
    reloader.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function begin(given: Partial<PolicySources> = {}, refuse?: (engine: Engine) => void, poll = NEVER) {
    const log = (record: LogRecord) => void lines.push(record);
    const emit = (transition: Parameters<typeof logTransition>[0]) => {
      const record = logTransition(transition);
      if (record) log(record);
    };
    health = new Health(emit);
    health.set('ok');
    const sources: PolicySources = {
      rulesFiles: [file],
      policiesFiles: [],
      bundleFile: undefined,
      catalog,
      log,
      err: (text) => {
        drawn += text;
      },
      color: false,
      ...given,
    };
    const inputs = new InputFiles();
    active.push(namesOf(await loadPolicy(sources, inputs)));
    reloader = new Reloader({
      active: inputs,
      load: async (fresh) => {
        const engine = await loadPolicy(sources, fresh);
        refuse?.(engine);
        return engine;
      },
      activate: async (engine) => {
        await activation();
        active.push(namesOf(engine));
        guards.push(engine.guards.map(({ policy }) => policy));
      },
      emit,
      health,
      log,
      quiet: 25,
      poll,
    });
  }

  const told = () => lines.map(({ level, message, fields }) => [level, message, fields?.result ?? fields?.error]);
  const tells = (...expected: (string | undefined)[][]) => expect.poll(told, { interval: 10 }).toEqual(expected);

  it('takes up changed rules and says how many', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    writeFileSync(file, label('two') + label('three'));
    await tells(['info', 'rules', 'changes detected'], ['info', 'rules', '2 rules have been successfully loaded']);
    expect(active).toEqual([['one'], ['two', 'three']]);
    expect(health.status().degraded).toEqual([]);
  });

  it('keeps the rules that it has where the new ones are wrong, says why, and goes on with the next good ones', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    writeFileSync(file, INVALID);
    const degraded = 'invalid rules; those loaded before stay in effect';
    await expect.poll(() => health.status().degraded).toEqual([`rules: ${degraded}`]);
    expect(health.status().ready).toBe(true);
    expect(active).toEqual([['one']]);
    expect(told()[0]).toEqual(['info', 'rules', 'changes detected']);
    expect(told().slice(-2)).toEqual([
      ['error', 'rules', 'invalid rules'],
      ['error', 'rules', degraded],
    ]);
    expect(lines.slice(1, -2).length).toBeGreaterThan(0);
    expect(lines.slice(1, -2).every(({ level, fields }) => level === 'error' && fields?.rule === 'Broken')).toBe(true);
    expect(drawn).toContain('rules.yaml:2:');
    lines.length = 0;
    writeFileSync(file, label('two'));
    await tells(
      ['info', 'rules', 'changes detected'],
      ['info', 'rules', '1 rules have been successfully loaded'],
      ['info', 'rules', 'works again'],
    );
    expect(active).toEqual([['one'], ['two']]);
  });

  it('says that all is well when wrong rules are taken back, without loading anything', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    rmSync(file);
    await expect.poll(() => health.status().degraded).toHaveLength(1);
    lines.length = 0;
    writeFileSync(file, label('one'));
    await tells(['info', 'rules', 'works again']);
    expect(active).toEqual([['one']]);
  });

  it('never takes up the empty file that saving leaves for a moment', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    truncateSync(file);
    setImmediate(() => writeFileSync(file, label('two')));
    await expect.poll(() => active.at(-1)).toEqual(['two']);
    expect(active).toEqual([['one'], ['two']]);
  });

  it('takes a file that stays empty for what it is', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    truncateSync(file);
    await expect.poll(() => active).toEqual([['one'], []]);
  });

  it('reloads when a file changes that the rules name', async () => {
    const named = path.join(folder, 'run.sh');
    writeFileSync(named, 'echo 1');
    writeFileSync(file, script('one', named));
    await begin();
    reloader.watch();
    writeFileSync(`${named}.tmp`, 'echo 2');
    renameSync(`${named}.tmp`, named);
    await expect.poll(() => active).toEqual([['one'], ['one']]);
    rmSync(named);
    await expect.poll(() => health.status().degraded).toHaveLength(1);
    writeFileSync(named, 'echo 3');
    await expect.poll(() => active).toHaveLength(3);
    expect(health.status().degraded).toEqual([]);
  });

  it('takes up changed policies with the rules, and refuses wrong ones as it does rules', async () => {
    const policies = path.join(folder, 'policies.yaml');
    const policy = (name: string) =>
      `- policy: ${name}\n  deny:\n  - {expression: 'target.namespace == "kube-system"', message: not here}\n`;
    writeFileSync(file, label('one'));
    writeFileSync(policies, policy('first'));
    await begin({ policiesFiles: [policies] });
    reloader.watch();
    writeFileSync(policies, policy('second'));
    await expect.poll(() => guards.at(-1)).toEqual(['second']);
    lines.length = 0;
    writeFileSync(policies, policy('third').replace('namespace ==', 'space =='));
    await expect
      .poll(() => health.status().degraded)
      .toEqual(['rules: invalid policies; those loaded before stay in effect']);
    expect(told().slice(0, -1)).toEqual([
      ['info', 'rules', 'changes detected'],
      ['error', 'policies', expect.stringContaining(`${policies}:3:`)],
      ['error', 'rules', 'invalid policies'],
    ]);
    expect(guards).toEqual([['second']]);
  });

  it('refuses policies beside a bundle', async () => {
    writeFileSync(file, label('one'));
    await begin();
    const bundleFile = path.join(folder, 'bundle.tar.gz');
    await expect(begin({ bundleFile, policiesFiles: [file] })).rejects.toThrow(/^a bundle brings its own policies/);
  });

  it('reloads a bundle', async () => {
    const bundleFile = path.join(folder, 'bundle.tar.gz');
    const pack = (text: string) => compile([{ path: 'rules.yaml', text }], { catalog }).bundle?.pack() ?? '';
    writeFileSync(bundleFile, pack(label('one')));
    await begin({ bundleFile });
    reloader.watch();
    writeFileSync(bundleFile, pack(label('two')));
    await expect.poll(() => active).toEqual([['one'], ['two']]);
    writeFileSync(bundleFile, pack(label('three')).slice(0, -100));
    await expect.poll(() => health.status().degraded).toHaveLength(1);
    expect(health.status().degraded[0]).toMatch(/^rules: the bundle is refused: /);
    expect(active).toEqual([['one'], ['two']]);
  });

  it('does nothing by halves where what the rules need is not there', async () => {
    writeFileSync(file, label('one'));
    await begin({}, ({ rules }) => {
      if (rules.length > 1) throw new Refused('actionners', 'no credentials');
    });
    reloader.watch();
    writeFileSync(file, label('two') + label('three'));
    await tells(
      ['info', 'rules', 'changes detected'],
      ['error', 'rules', 'no credentials'],
      ['error', 'rules', 'no credentials; those loaded before stay in effect'],
    );
    expect(active).toEqual([['one']]);
  });

  it('survives what nobody thought of', async () => {
    writeFileSync(file, label('one'));
    await begin();
    activation = () => Promise.reject(new RangeError('boom'));
    await reloader.reload();
    expect(told().at(-2)).toEqual(['error', 'rules', 'the rules could not be taken up: boom']);
    activation = async () => undefined;
    await reloader.reload();
    expect(health.status().degraded).toEqual([]);
    expect(active).toEqual([['one'], ['one']]);
  });

  it('reloads on request, changed or not, watching or not', async () => {
    writeFileSync(file, label('one'));
    await begin();
    await reloader.reload();
    writeFileSync(file, label('two'));
    await reloader.reload();
    expect(active).toEqual([['one'], ['one'], ['two']]);
    expect(told()).toEqual([
      ['info', 'rules', 'reload requested'],
      ['info', 'rules', '1 rules have been successfully loaded'],
      ['info', 'rules', 'reload requested'],
      ['info', 'rules', '1 rules have been successfully loaded'],
    ]);
  });

  it('runs one reload after the other, and leaves out those that would change nothing', async () => {
    writeFileSync(file, label('one'));
    await begin();
    reloader.watch();
    let finish = () => {};
    activation = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const first = reloader.reload();
    await expect.poll(told).toHaveLength(1);
    writeFileSync(file, label('two'));
    const second = reloader.reload();
    activation = async () => undefined;
    finish();
    await Promise.all([first, second]);
    // The watch has seen the change as well, and finds that it was taken up.
    writeFileSync(file, label('three'));
    await expect.poll(() => active.at(-1)).toEqual(['three']);
    expect(active).toEqual([['one'], ['one'], ['two'], ['three']]);
  });

  it('serves many requests that come at once by one reload', async () => {
    writeFileSync(file, label('one'));
    await begin();
    const requests = Array.from({ length: 20 }, () => reloader.reload());
    await expect.poll(told).not.toEqual([]);
    writeFileSync(file, label('two'));
    requests.push(reloader.reload(), reloader.reload());
    await Promise.all(requests);
    expect(active.length).toBeLessThanOrEqual(3);
    expect(active.at(-1)).toEqual(['two']);
  });

  it('tries again where the files are not to blame', async () => {
    writeFileSync(file, label('one'));
    await begin({}, undefined, 50);
    let full = 2;
    activation = () => (full-- > 0 ? Promise.reject(new Error('the disk is full')) : Promise.resolve());
    writeFileSync(file, label('two'));
    await reloader.reload();
    expect(health.status().degraded).toHaveLength(1);
    await expect.poll(() => active.at(-1)).toEqual(['two']);
    expect(health.status().degraded).toEqual([]);
    expect(told().filter(([, , what]) => what === 'trying again')).toHaveLength(2);
  });

  it('does not wait for what comes out of a pipe', async () => {
    writeFileSync(file, label('one'));
    await begin();
    rmSync(file);
    execFileSync('mkfifo', [file]);
    await reloader.reload();
    expect(told()).toContainEqual(['error', 'rules', expect.stringContaining('is a pipe')]);
    expect(active).toEqual([['one']]);
    await expect(begin({ bundleFile: file })).rejects.toThrow(/is a pipe/);
  });

  it('says nothing after its end', async () => {
    writeFileSync(file, label('one'));
    await begin();
    let fail = (_error: Error) => {};
    activation = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    const running = reloader.reload();
    await expect.poll(told).toHaveLength(1);
    reloader.stop();
    fail(new Error('the journal is closed'));
    await running;
    await reloader.reload();
    expect(told()).toHaveLength(1);
    expect(health.status().degraded).toEqual([]);
  });
});

function namesOf({ rules }: Engine): string[] {
  return rules.map(({ rule }) => rule);
}
