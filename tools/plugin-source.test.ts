import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { pluginScripts as committed } from '../src/cli/plugins/plugin-scripts.gen.ts';
import { guestRunner, pluginScripts } from './generate/plugin-scripts.ts';
import { codeOnly, declarationsOnly, withoutTypes } from './plugin-source.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

const SOURCE = `import * as z from 'zod';
const parameters = z.object({ seconds: z.number() });
const WORDS = ['a'];
export const one = defineActionner({
  id: 'kubernetes:one',
  parameters,
  behaviour: {
    idempotent: true,
    uses: ['pods.label'],
    lasts: ({ seconds }) => seconds,
    async run({ use }) { return helper(use, WORDS); },
  },
});
export const two = defineOutput({ id: 'two', store: helper, 'description': 'text' });
function helper(use, words) { return { status: 'success', run: 1 }; }
`;

describe('a plug-in for the server', () => {
  const text = declarationsOnly(SOURCE);

  it('has its declarations, and what the server calculates with them', () => {
    for (const part of ['idempotent: true', "uses: ['pods.label']", 'lasts: ({ seconds }) => seconds', "'two'"]) {
      expect(text).toContain(part);
    }
  });

  it('has a stub in place of its code', () => {
    expect(text).not.toContain('helper(use, WORDS)');
    expect(text).not.toContain('store: helper');
    expect(text).toContain("run() { throw new Error('plug-ins run in the sandbox alone'); }");
    expect(text).toContain("store() { throw new Error('plug-ins run in the sandbox alone'); }");
  });
});

describe('a plug-in for the sandbox', () => {
  it('has its code and nothing that only its declaration needs', () => {
    const text = codeOnly(SOURCE);
    expect(text).toContain('behaviour: { async run({ use }) { return helper(use, WORDS); } }');
    expect(text).toContain('{ store: helper }');
    expect(text).toContain("const WORDS = ['a'];");
    for (const part of ['idempotent', 'lasts', 'kubernetes:one', 'const parameters']) expect(text).not.toContain(part);
  });
});

it('every plug-in of the project can be cut in two', async () => {
  for (const folder of ['actionners', 'outputs', 'notifiers']) {
    const files = readdirSync(path.join(ROOT, 'src', folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))) {
      const source = await withoutTypes(path.join(ROOT, 'src', folder, file));
      // A definition in another form would be in the server's program with its code.
      if (/\bdefine(Actionner|Output|Notifier)\(/.test(source))
        expect(declarationsOnly(source)).toContain('in the sandbox alone');
    }
  }
});

describe('the scripts of plug-ins', () => {
  it('are up to date: run `npm run generate` where this fails', async () => {
    for (const file of [await guestRunner(), await pluginScripts(catalog)]) {
      const target = path.join(ROOT, file.path);
      expect(existsSync(target) && readFileSync(target, 'utf8') === file.text).toBe(true);
    }
  });

  it('are there for all that can act, and small, since every step reads its own', () => {
    const plugins = [...catalog.actionners.values(), ...catalog.outputs.values(), ...catalog.notifiers.values()];
    const acting = plugins.filter(({ behaviour }) => behaviour);
    expect([...committed.keys()].sort()).toEqual(acting.map(({ id }) => id).sort());
    for (const script of committed.values()) expect(script.length).toBeLessThan(12_000);
  });
});
