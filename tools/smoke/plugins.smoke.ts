import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Node, parse } from 'acorn';
import { transform } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { label } from '../../src/actionners/kubernetes/label.ts';
import { terminate } from '../../src/actionners/kubernetes/terminate.ts';
import { catalog } from '../../src/cli/plugins/catalog.ts';
import { pluginScripts } from '../../src/cli/plugins/plugin-scripts.gen.ts';
import { createExecutor } from '../../src/runtime/plugins/execute.ts';
import { alertWith, fakeAdapters, memoryRecord } from '../../src/runtime/plugins/executor-fixture.ts';
import { codeOnly, declarationsOnly, withoutTypes } from '../plugin-source.ts';

const root = path.resolve(import.meta.dirname, '../..');
const dist = path.join(root, 'dist');

/** The texts of a program: of its literals and templates. */
function textsOf(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { type, value } = node as Partial<Node> & { readonly value?: unknown };
  if (type === 'Literal') return typeof value === 'string' ? [value] : [];
  if (type === 'TemplateElement') return [(value as { readonly cooked: string }).cooked];
  return Object.values(node).flatMap(textsOf);
}

const parseModule = (source: string) => parse(source, { ecmaVersion: 'latest', sourceType: 'module' });

const programs = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js'))
  .map((file) => readFileSync(path.join(dist, file), 'utf8'));

/** All that is no plug-in: what is said there too may be in the server. */
const others = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^(actionners|outputs|notifiers)\/|\.(gen|test)\.ts$/.test(file))
  .map((file) => readFileSync(path.join(root, 'src', file), 'utf8'))
  .join('');

describe('the built server', () => {
  test('has no code of plug-ins, but for their scripts', async () => {
    const texts = new Set(programs.flatMap((program) => textsOf(parseModule(program))));
    const said: string[] = [];
    for (const id of pluginScripts.keys()) {
      const folder = (['actionners', 'outputs', 'notifiers'] as const).find((each) => catalog[each].has(id));
      const file = path.join(root, 'src', folder ?? '', `${id.replace(':', '/')}.ts`);
      const source = await withoutTypes(file);
      const all = textsOf(parseModule(codeOnly(source)));
      // What checks parameters stands beside both; functions that the code alone uses do not.
      const declaration = await transform(declarationsOnly(source), { treeShaking: true, format: 'esm' });
      const declared = new Set(textsOf(parseModule(declaration.code)));
      said.push(...all.filter((text) => / \w+ /.test(text) && !others.includes(text) && !declared.has(text)));
    }
    expect(said.length).toBeGreaterThan(pluginScripts.size);
    expect(said.filter((text) => texts.has(text))).toEqual([]);
  });

  test('has a stub in place of the code of each plug-in that can act', () => {
    const stubs = programs.join('').match(/plug-ins run in the sandbox alone/g) ?? [];
    expect(stubs.length).toBeGreaterThanOrEqual(pluginScripts.size);
  });

  test('has the scripts', () => {
    const texts = new Set(programs.flatMap((program) => textsOf(parseModule(program))));
    expect([...pluginScripts.values()].filter((script) => !texts.has(script))).toEqual([]);
  });
});

describe('the built sandbox', () => {
  const { adapters, calls } = fakeAdapters();
  const worker = { script: pathToFileURL(path.join(dist, 'workers/sandbox.js')), eval: false };
  const executor = createExecutor({ adapters, scripts: pluginScripts, worker });
  afterAll(() => executor.end());
  const event = alertWith({ 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' });
  const step = { event, record: memoryRecord().record, milliseconds: 10_000 };
  const { signal } = new AbortController();

  test('runs the plug-ins that there are', async () => {
    await executor.ready();
    const parameters = { labels: { suspicious: 'true' } };
    expect(await executor.run({ ...step, actionner: label, parameters }, signal)).toMatchObject({
      status: 'success',
      output: "the pod 'web' in the namespace 'shop' has been labeled",
    });
    expect(await executor.run({ ...step, actionner: terminate, parameters: null }, signal)).toMatchObject({
      output: "the pod 'web' in the namespace 'shop' has been terminated",
    });
    expect(calls.map(([door]) => door)).toEqual(['pods.label', 'pods.uid', 'pods.delete']);
  });
});
