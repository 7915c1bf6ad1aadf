import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { compile } from '../../compiler/compile.ts';
import { tar } from '../../compiler/tar.ts';
import type { Bundle, BundleData } from '../../model/bundle.ts';
import { bundleRevision, moduleDigest } from '../../model/bundle-revision.ts';
import type { Catalog } from '../../model/definition.ts';
import { openBundle, openRules } from './open-bundle.ts';
import { readArchive } from './read-archive.ts';

const note = {
  id: 'test:note',
  description: 'Note it',
  sources: [],
  continue: true,
  usesContext: false,
  artifact: 'none' as const,
  requires: [],
  parameters: z.object({}),
  example: '',
  behaviour: {
    idempotent: true,
    uses: [],
    deadline: 60,
    writes: () => [],
    run: async () => ({ status: 'ignored' as const, result: '', objects: {} }),
  },
};
const catalog: Catalog = { actionners: new Map([[note.id, note]]), outputs: new Map(), notifiers: new Map() };

function rulesText(name: string): string {
  return `- rule: ${name}\n  match: {rules: [${name}]}\n  actions: [{action: a, actionner: test:note}]\n`;
}

function compiled(name = 'One', path = 'folder/my rules.yaml'): Bundle {
  const text = rulesText(name);
  const { bundle, diagnostics } = compile([{ path, text }], { catalog });
  if (!bundle) throw new Error(diagnostics.map(({ message }) => message).join());
  return bundle;
}

const bundle = compiled();
const LIMITS = { packed: 1 << 20, unpacked: 1 << 22, entries: 100 };

/** The entries of a bundle after a change, packed again. */
async function changed(change: (files: Map<string, Uint8Array>) => void, from = bundle): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array>(await readArchive(from.pack(), LIMITS));
  change(files);
  return packed([...files].map(([name, content]) => ({ name, content })));
}

/** A bundle with another module, and its digest. */
function withModule(module: Uint8Array): Promise<Uint8Array> {
  return changed((files) => {
    files.set('/policy.wasm', module);
    editData(files, { module: moduleDigest(module) });
  });
}

function editData(files: Map<string, Uint8Array>, changes: Partial<BundleData>): void {
  const data = JSON.parse(Buffer.from(files.get('/data.json') ?? []).toString());
  Object.assign(data.talon.bundle, changes);
  files.set('/data.json', bytes(JSON.stringify(data)));
}

function packed(entries: readonly { readonly name: string; readonly content: Uint8Array }[]): Uint8Array {
  return gzipSync(tar(entries));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function refusal(file: Uint8Array | Promise<Uint8Array>): Promise<string> {
  const error: unknown = await openBundle(await file).then(
    () => new Error('it was opened'),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'TalonError', code: 'bundle' });
  return (error as Error).message.replace('the bundle is refused: ', '');
}

describe('a bundle', () => {
  test('answers as the rules that it was packed from', async () => {
    const opened = await openBundle(bundle.pack());
    const direct = openRules(bundle);
    for (const alert of ['{"rule":"One"}', '{"rule":"Two"}', '{"rule":', '']) {
      expect(opened.evaluate(bytes(alert))).toEqual(direct.evaluate(bytes(alert)));
    }
    expect(opened.evaluate(bytes('{"rule":"One"}'))).toMatchObject({
      rules: ['One'],
      plan: { revision: bundle.revision },
    });
  });

  test('has the entries of OPA: leading slashes, a directory before what is in it', () => {
    const archive = gunzipSync(bundle.pack());
    const names: string[] = [];
    for (let at = 0; archive[at]; ) {
      names.push(archive.toString('latin1', at, archive.indexOf(0, at)));
      const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
      at += 512 + Math.ceil(size / 512) * 512;
    }
    expect(names).toEqual(['/.manifest', '/data.json', '/policy.wasm', '/rules/', '/rules/01-my_rules.yaml']);
  });

  test('has a manifest for both entrypoints, and data beside the virtual documents', async () => {
    const files = await readArchive(bundle.pack(), LIMITS);
    expect(JSON.parse(String(files.get('/.manifest')))).toEqual({
      revision: bundle.revision,
      roots: ['talon'],
      wasm: [
        { entrypoint: 'talon/plan', module: '/policy.wasm' },
        { entrypoint: 'talon/match', module: '/policy.wasm' },
      ],
      rego_version: 1,
    });
    const data = JSON.parse(String(files.get('/data.json')));
    expect(Object.keys(data.talon)).toEqual(['bundle']);
    expect(data.talon.bundle).toMatchObject({ format: 2, revision: bundle.revision, grants: [] });
  });

  test('is the same bytes for the same rules, whatever their path; another revision for other rules', () => {
    const again = compiled('One', '/elsewhere/my rules.yaml');
    expect(Buffer.from(again.pack()).equals(bundle.pack())).toBe(true);
    expect(compiled('Two').revision).not.toBe(bundle.revision);
  });
});

const POLICIES = `- policy: Not there
  actionners: [test:*]
  deny:
    - {expression: 'target.namespace == "kube-system"', message: not in this namespace}
  budgets:
    - {max: 3, window: 10m}
- policy: Only what is verified
  mode: monitor
  deny:
    - {expression: '!target.verified', message: not verified}
`;

function guarded(text = POLICIES): Bundle {
  const file = { path: 'rules.yaml', text: rulesText('One') };
  const { bundle: made } = compile([file], { catalog, policies: [{ path: 'guards/my own.yaml', text }] });
  if (!made) throw new Error('the policies do not compile');
  return made;
}

describe('guards in a bundle', () => {
  test('come out as they went in, with what they look up among the grants', async () => {
    const opened = await openBundle(guarded().pack());
    expect(opened.guards).toEqual(guarded().guards);
    expect(opened.guards).toMatchObject([
      { policy: 'Not there', mode: 'enforce', budgets: [{ max: 3, window: 600, per: ['target'] }] },
      { policy: 'Only what is verified', mode: 'monitor', actionners: [] },
    ]);
    const files = await readArchive(guarded().pack(), LIMITS);
    expect(String(files.get('/policies/01-my_own.yaml'))).toBe(POLICIES);
    expect(JSON.parse(String(files.get('/data.json'))).talon.bundle.grants).toEqual([
      { group: '', resource: 'nodes', verbs: ['get'] },
      { group: '', resource: 'pods', verbs: ['get'] },
    ]);
  });

  test('make another revision, and so do their sources', () => {
    const revisions = [POLICIES, POLICIES.replace('max: 3', 'max: 4'), `${POLICIES}# more`].map(
      (text) => guarded(text).revision,
    );
    expect(new Set([...revisions, bundle.revision]).size).toBe(4);
  });

  test('are refused when somebody changed them', async () => {
    const edit = (name: string, from: string, to: string) =>
      changed((files) => files.set(name, bytes(String(files.get(name)).replace(from, to))), guarded());
    const reason = 'its content is not that of its revision';
    expect(await refusal(edit('/data.json', 'kube-system', 'kube-public'))).toBe(reason);
    expect(await refusal(edit('/policies/01-my_own.yaml', 'kube-system', 'kube-public'))).toBe(reason);
    expect(await refusal(changed((files) => files.delete('/policies/01-my_own.yaml'), guarded()))).toBe(reason);
  });

  test('with an expression that no compiler lets through are refused although the digests are right', async () => {
    const rules = bundle.rules;
    const guards = guarded().guards.map((guard) => ({ ...guard, deny: [{ expression: 'target.owner', message: '' }] }));
    const revision = bundleRevision({ rules, guards, grants: [] }, { rules: [], policies: [] });
    const forged = changed((files) => {
      files.delete('/rules/01-my_rules.yaml');
      editData(files, { revision, rules, guards, grants: [] });
      files.set('/.manifest', bytes(JSON.stringify({ revision })));
    });
    expect(await refusal(forged)).toMatch(/^the policy 'Not there' cannot be used: /);
  });
});

describe('refused with the reason', () => {
  test('what is no bundle', async () => {
    expect(await refusal(bytes(''))).toBe('it is not a gzip file');
    expect(await refusal(bytes('{}'))).toBe('it is not a gzip file');
    expect(await refusal(gzipSync(bytes('some text')))).toMatch(/^(the archive is corrupt|\/\.manifest is missing)/);
    expect(await refusal(packed([]))).toBe('/.manifest is missing');
  });

  test('what is truncated or corrupt', async () => {
    const whole = bundle.pack();
    expect(await refusal(whole.subarray(0, whole.length / 2))).toBe('it is truncated');
    const archive = gunzipSync(whole);
    expect(await refusal(gzipSync(archive.subarray(0, 3000)))).toMatch('the archive is corrupt');
    const flipped = Buffer.from(whole);
    flipped[whole.length - 6] = (flipped[whole.length - 6] ?? 0) ^ 1;
    expect(await refusal(flipped)).toMatch('it is corrupt');
  });

  test('what is too large', async () => {
    await expect(readArchive(bundle.pack(), { ...LIMITS, packed: 10 })).rejects.toThrow(/it has more than 10 bytes$/);
    await expect(readArchive(bundle.pack(), { ...LIMITS, unpacked: 5000 })).rejects.toThrow(
      'it unpacks to more than 5000 bytes',
    );
    await expect(readArchive(bundle.pack(), { ...LIMITS, entries: 3 })).rejects.toThrow('it has more than 3 entries');
  });

  test.each([
    ['policy.wasm', 'does not start with a slash'],
    ['/../policy.wasm', 'has a name that is not allowed'],
    ['/rules/./a.yaml', 'has a name that is not allowed'],
    ['/rules//a.yaml', 'has a name that is not allowed'],
    ['/a\\b', 'has a name that is not allowed'],
    ['/a\nb', 'has a name that is not allowed'],
  ])('an entry called %j', async (name, reason) => {
    expect(await refusal(packed([{ name, content: bytes('x') }]))).toBe(`the entry ${JSON.stringify(name)} ${reason}`);
  });

  test('an entry that occurs twice', async () => {
    const entry = { name: '/data.json', content: bytes('{}') };
    expect(await refusal(packed([entry, entry]))).toBe('the entry "/data.json" occurs twice');
  });

  test('a link', async () => {
    const archive = Buffer.from(tar([{ name: '/data.json', content: new Uint8Array() }]));
    archive.write('2', 156);
    archive.write('        ', 148);
    const sum = archive.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    archive.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(await refusal(gzipSync(archive))).toBe('the entry "/data.json" is a symlink, not a file');
  });

  test('a bundle without one of its parts', async () => {
    for (const name of ['/.manifest', '/data.json', '/policy.wasm']) {
      expect(await refusal(changed((files) => files.delete(name)))).toBe(`${name} is missing`);
    }
  });

  test('data that is not ours, or of another format', async () => {
    const data = (content: string) => changed((files) => files.set('/data.json', bytes(content)));
    expect(await refusal(data('{'))).toBe('/data.json is not JSON');
    expect(await refusal(data('[]'))).toBe('/data.json is not an object');
    expect(await refusal(data('{"other": 1}'))).toBe('it was not made by talon');
    expect(await refusal(data('{"talon": {"bundle": {"format": 1}}}'))).toBe(
      'its format is 1, this program reads format 2',
    );
    expect(await refusal(data('{"talon": {"bundle": {"format": 2}}}'))).toBe('/data.json is incomplete');
  });

  test('parts of different bundles', async () => {
    const other = await readArchive(compiled('Two').pack(), LIMITS);
    const taken = (name: string) => changed((files) => files.set(name, other.get(name) ?? new Uint8Array()));
    expect(await refusal(taken('/.manifest'))).toBe('manifest and data have different revisions');
    expect(await refusal(taken('/data.json'))).toBe('manifest and data have different revisions');
    expect(await refusal(taken('/policy.wasm'))).toBe('/policy.wasm is not the module that it was made with');
    expect(await refusal(withModule(compiled('Two').module))).toBe('module and data have different revisions');
    expect(await refusal(taken('/rules/01-my_rules.yaml'))).toBe('its content is not that of its revision');
    const edited = changed((files) => {
      const data = String(files.get('/data.json')).replace('"continue":true', '"continue":false');
      files.set('/data.json', bytes(data));
    });
    expect(await refusal(edited)).toBe('its content is not that of its revision');
  });

  test('a module that is none, or foreign', async () => {
    expect(await refusal(withModule(bytes('no module')))).toBe('the policy module is no valid WebAssembly');
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    expect(await refusal(withModule(empty))).toBe('the policy module was not made by talon');
  });

  test('a module with a byte changed', async () => {
    const { module } = bundle;
    for (let at = 0; at < module.length; at += 101) {
      const other = Uint8Array.from(module);
      other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
      const replaced = changed((files) => files.set('/policy.wasm', other));
      expect(await refusal(replaced)).toBe('/policy.wasm is not the module that it was made with');
    }
  });

  test('rules that are none, in a bundle whose digests are right', async () => {
    const rules = [null] as never;
    const revision = bundleRevision({ rules, guards: [], grants: [] }, { rules: [], policies: [] });
    const forged = changed((files) => {
      files.delete('/rules/01-my_rules.yaml');
      editData(files, { revision, rules, grants: [] });
      files.set('/.manifest', bytes(JSON.stringify({ revision })));
    });
    expect(await refusal(forged)).toMatch(/^it cannot be opened: /);
  });

  test('any bundle with bytes changed is refused or means the same', async () => {
    const whole = bundle.pack();
    const edit = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        const file = Buffer.from(whole);
        for (const { at, byte } of edits) file[at] = byte;
        const engine = await openBundle(file).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'TalonError', code: 'bundle' });
        });
        if (engine) expect(engine.rules).toEqual(bundle.rules);
      }),
      { numRuns: 200 },
    );
  });
});
