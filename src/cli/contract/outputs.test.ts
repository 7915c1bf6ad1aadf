import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Output } from '../../model/definition.ts';
import type { FailureCode, Outcome } from '../../model/outcome.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { SPOOLED } from '../../runtime/plugins/executor-fixture.ts';
import { catalog } from '../plugins/catalog.ts';
import { parameterRows } from '../plugins/plugin-parameters.ts';
import { HOSTILE } from './good-world.ts';
import { RETRY_AFTER, SandboxedPlugins, WORDS } from './sandboxed-plugins.ts';

const plugins = new SandboxedPlugins();
const outputs = [...catalog.outputs.values()].map((output) => [output.id, output] as const);
const KEY = '2026-03-01T10-00-00Z_shop_web_log';

interface Given {
  readonly parameters?: ParameterMap;
  readonly name?: string;
  readonly tokens?: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal;
}

function exampleOf(output: Output): ParameterMap {
  const [{ output: example }] = parse(output.example);
  return example.parameters;
}

function store(
  output: Output,
  { parameters = exampleOf(output), name = 'log', tokens = new Map(), signal }: Given = {},
) {
  const { handle, size, sha256, mediaType } = SPOOLED;
  const artifact = { handle, name, size, sha256, mediaType };
  const given = { output, parameters, tokens: () => tokens, artifact, key: KEY, facts: { rule: 'R', sha256 } };
  return plugins.executor.store(given, signal ?? new AbortController().signal);
}

function check(output: Output): Promise<Outcome | undefined> {
  const given = { output, parameters: exampleOf(output), tokens: () => new Map() };
  return plugins.executor.check(given, new AbortController().signal);
}

describe.each(outputs)('%s', (_, output) => {
  it('stores: it says what and where, by its one door, with the key as given', async () => {
    plugins.reset();
    const outcome = await store(output);
    expect(outcome).toMatchObject({ status: 'success', objects: { file: 'log' } });
    expect(plugins.opened).toEqual(output.behaviour?.uses);
    expect(plugins.calls[0]).toEqual(expect.arrayContaining([KEY, expect.objectContaining({ kind: 'artifact' })]));
    expect(await store(output)).toEqual(outcome);
  });

  it('looks beforehand whether it could, and says why not', async () => {
    plugins.reset();
    expect(await check(output)).toBeUndefined();
    expect(plugins.opened).toEqual(['stores.check']);
    plugins.reset({ 'stores.check': { fails: 'refused' } });
    expect(await check(output)).toMatchObject({ status: 'failure', code: 'refused', error: WORDS });
  });

  it.each(parameterRows(output.parameters))('refuses a wrong `$name`, and names it', async ({ name, required }) => {
    for (const wrong of [5, ['a'], ...(required ? [undefined, ''] : [])]) {
      const parameters = { ...exampleOf(output), [name]: wrong } as ParameterMap;
      expect(decodeParameters(output.parameters, parameters).ok).toBe(false);
      plugins.reset();
      expect(await store(output, { parameters })).toMatchObject({
        ...{ status: 'failure', code: 'refused' },
        error: expect.stringContaining(name),
      });
      expect(plugins.calls).toEqual([]);
    }
  });

  const CODES = ['refused', 'conflict', 'busy', 'unreachable'] satisfies FailureCode[];
  it.each(CODES)('fails where the other side says `%s`', async (fails) => {
    for (const door of output.behaviour?.uses ?? []) {
      plugins.reset({ [door]: { fails } });
      const rest = fails === 'busy' ? { retryAfterMs: RETRY_AFTER } : {};
      expect(await store(output)).toMatchObject({ status: 'failure', code: fails, error: WORDS, ...rest });
    }
  });

  it('ends with the server, however long the other side takes', async () => {
    for (const door of output.behaviour?.uses ?? []) {
      plugins.reset({ [door]: 'hangs' });
      const over = new AbortController();
      const ended = store(output, { signal: over.signal });
      await expect.poll(() => plugins.calls.length).toBeGreaterThan(0);
      over.abort(new Error('the server is stopped'));
      expect(await ended).toMatchObject({ code: 'unreachable' });
    }
  });

  it.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
    'takes %s for data',
    async (_shown, text) => {
      plugins.reset();
      const tokens = new Map([['K8S_NS_NAME', text]]);
      const attempts = [store(output, { name: text }), store(output, { tokens })];
      for (const { name } of parameterRows(output.parameters)) {
        attempts.push(store(output, { parameters: { ...exampleOf(output), [name]: text } }));
      }
      for (const outcome of await Promise.all(attempts)) {
        if (outcome.status === 'failure') expect(['refused', 'limit']).toContain(outcome.code);
      }
      for (const call of plugins.calls) expect(call).toContain(KEY);
    },
  );
});
