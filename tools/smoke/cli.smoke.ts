import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, 'dist/talon.js');
const environment = { PATH: process.env.PATH ?? '', LOG_FORMAT: 'text' };
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'talon-smoke-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function talon(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

describe('the program', () => {
  test('knows its version', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    const built = JSON.parse(talon('version', '--format', 'json').out);
    expect(built.version).toBe(version);
    expect(built.commit).toMatch(/^([0-9a-f]{40}|unknown)$/);
    expect(built.buildDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('is executable, and answers to its other name', () => {
    expect(statSync(program).mode & 0o111).toBe(0o111);
    const other = path.join(folder, 'falco-talon');
    symlinkSync(program, other);
    const { stdout } = spawnSync(other, ['rules', '--help'], { env: environment, encoding: 'utf8' });
    expect(stdout).toContain('Usage:\n  falco-talon rules [command]\n');
  });

  test('checks, compiles and evaluates', () => {
    const rules = path.join(root, 'rules/compromise.yaml');
    expect(talon('rules', 'check', '-r', rules)).toMatchObject({ code: 0, err: '' });
    const bundle = path.join(folder, 'bundle.tar.gz');
    expect(
      talon('compile', rules, '-o', bundle, '--test', path.join(root, 'rules/compromise.test.yaml')),
    ).toMatchObject({
      code: 0,
      err: '',
    });
    const { code, out } = talon('eval', '--bundle', bundle, path.join(root, 'rules/demo/alerts.jsonl'));
    expect(code).toBe(0);
    expect(out).toContain('Crypto miner\n');
  });

  test('ends quietly when its reader does, and with a word when its output cannot be written', () => {
    const run = (shell: string) =>
      spawnSync('bash', ['--norc', '-c', shell], {
        cwd: root,
        env: { ...environment, NODE: process.execPath },
        encoding: 'utf8',
      });
    const bad = path.join(folder, 'bad.yaml');
    writeFileSync(bad, Array.from({ length: 20_000 }, (_, index) => `- rule: R${index}\n`).join(''));
    const check = `"$NODE" dist/talon.js rules check -r ${bad} --format json`;
    expect(run(`${check} | head -1; exit \${PIPESTATUS[0]}`)).toMatchObject({ stdout: '[\n', stderr: '', status: 1 });
    expect(
      run(`"$NODE" dist/talon.js rules check -r ${bad} 2>&1 >/dev/null | head -1; exit \${PIPESTATUS[0]}`),
    ).toMatchObject({
      stderr: '',
      status: 1,
    });
    const full = run('"$NODE" dist/talon.js actionners list >/dev/full');
    expect(full).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^Error: cannot write the output: ENOSPC.*\n$/),
    });
  });

  test('lists what there is', () => {
    for (const kind of ['actionners', 'outputs', 'notifiers']) {
      expect(JSON.parse(talon(kind, 'list', '--format', 'json').out).length).toBeGreaterThan(3);
    }
  });

  test('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [program, 'actionners', 'list'], { env: environment });
    child.stdout.destroy();
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, err: Buffer.concat(errors).toString() }).toEqual({ code: 0, err: '' });
  });

  test('never shows a stack trace', () => {
    for (const argv of [
      ['frobnicate'],
      ['eval', '--bundle', program],
      ['server', '-c', '/nowhere.yaml'],
      ['rules', 'print', '-r', root],
    ]) {
      const { code, out, err } = talon(...argv);
      expect(code).toBe(1);
      expect(out + err).not.toMatch(/^\s+at /m);
      expect(out + err).not.toContain('bug in Talon');
    }
  });

  test.skipIf(spawnSync('bash', ['--version']).status !== 0)('completes in bash', () => {
    symlinkSync(program, path.join(folder, 'talon'));
    const script = `
      compopt() { :; }
      source <(talon completion bash) && source <(talon completion bash)
      try() {
        COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=()
        __talon_complete
        echo "\${COMPREPLY[@]}"
      }
      try talon ru
      try talon rules ''
      try talon rules check --format ''
      try talon compile rules/
    `;
    const env = { ...environment, PATH: `${folder}:${path.dirname(process.execPath)}:${environment.PATH}` };
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'rules\ncheck print\ntext json github\n\n', stderr: '' });
  });
});

describe('the package', () => {
  /** Runs a module that finds the package as any other does. */
  function asUser(text: string) {
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    rmSync(path.join(folder, 'node_modules/talon'), { force: true });
    symlinkSync(root, path.join(folder, 'node_modules/talon'));
    writeFileSync(path.join(folder, 'package.json'), '{ "name": "user", "type": "module" }');
    writeFileSync(path.join(folder, 'user.mts'), text);
    writeFileSync(path.join(folder, 'user.mjs'), text.replaceAll(/: string\b/g, ''));
  }

  const USER = `import { compileRules } from 'talon/compiler';
import { openBundle } from 'talon/runtime';
const text: string = '- rule: R\\n  actions: [{ action: L, actionner: kubernetes:label, parameters: { labels: { a: b } } }]';
const { bundle, diagnostics } = compileRules([{ path: 'rules.yaml', text }]);
if (!bundle) throw new Error(JSON.stringify(diagnostics));
const engine = await openBundle(bundle.pack());
const answer = engine.evaluate(new TextEncoder().encode('{"rule":"X"}'));
if (answer.ok) console.log(answer.rules.join(), answer.plan.rules.length);
`;

  test('compiles and evaluates through its exports', () => {
    asUser(USER);
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(folder, 'user.mjs')], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'R 1\n', stderr: '' });
  });

  test('has types for them', () => {
    asUser(`${USER}// @ts-expect-error: a plan has no such thing\nif (answer.ok) answer.plan.nothing;\n`);
    const options = [
      '--strict',
      '--noEmit',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--types',
      '',
      '--skipLibCheck',
    ];
    const { stdout } = spawnSync(path.join(root, 'node_modules/.bin/tsc'), [...options, 'user.mts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});
