import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { catalog } from '../src/cli/plugins/catalog.ts';
import { settingLeaves } from '../src/cli/settings/setting-leaves.ts';
import { TEST_ERRORS } from '../src/cli/testing/strict-map.ts';
import { ERRORS } from '../src/compiler/errors.ts';
import { rightsOf } from '../src/model/rights.ts';
import { generatedPages } from './generate/pages.ts';
import { pluginList } from './generate/plugin-list.ts';
import { outdated } from './generate.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const pages = generatedPages();
const textOf = (name: string) => pages.find((file) => file.path === `docs/generated/${name}`)!.text;

describe('the generated pages', () => {
  it('are up to date: run `npm run generate` where this fails', () => {
    expect(outdated([pluginList(), ...pages]).map((file) => file.path)).toEqual([]);
  });

  it('are all that is in their folder', () => {
    const names = readdirSync(path.join(ROOT, 'docs/generated')).map((name) => `docs/generated/${name}`);
    expect(names.sort()).toEqual(pages.map((file) => file.path).sort());
  });

  it('list every code of the compiler and of test files, and no other', () => {
    const listed = [...textOf('errors.md').matchAll(/^\| (T\d{4}) \|/gm)].map((match) => match[1]);
    expect(listed).toEqual([...Object.keys(ERRORS), ...Object.keys(TEST_ERRORS)]);
  });

  it('show every plug-in', () => {
    for (const id of catalog.actionners.keys()) expect(textOf('actionners.md')).toContain(`\n## \`${id}\`\n`);
    for (const id of catalog.outputs.keys()) expect(textOf('outputs.md')).toContain(`\n## \`${id}\`\n`);
    for (const id of catalog.notifiers.keys()) expect(textOf('notifiers.md')).toContain(`\n## \`${id}\`\n`);
  });

  it('grant what each plug-in needs', () => {
    const granted: { apiGroups: string[]; resources: string[]; verbs: string[] }[] = parse(
      textOf('cluster-role.yaml'),
    ).rules;
    const plugins = [...catalog.actionners.values(), ...catalog.outputs.values(), ...catalog.notifiers.values()];
    for (const { behaviour } of plugins) {
      for (const { group, resource, verbs } of rightsOf(behaviour?.uses ?? []).kubernetes) {
        const rule = granted.find(({ apiGroups, resources }) => apiGroups[0] === group && resources[0] === resource);
        expect(rule?.verbs).toEqual(expect.arrayContaining([...verbs]));
      }
    }
    expect(JSON.stringify(granted)).not.toContain('*');
  });
});

describe('the schema of rules files', () => {
  const validate = new Ajv({ strictTypes: false, strictRequired: false }).compile(
    JSON.parse(textOf('rules.schema.json')),
  );
  const accepts = (text: string) => {
    const valid = validate(parse(text));
    return valid || (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('\n');
  };

  const packs = readdirSync(path.join(ROOT, 'rules')).filter((name) => /^[^.]+\.yaml$/.test(name));
  it('has rules to look at', () => expect(packs.length).toBeGreaterThan(0));
  it.each(packs)('accepts our own %s', (name) => {
    expect(accepts(readFileSync(path.join(ROOT, 'rules', name), 'utf8'))).toBe(true);
  });

  const examples = [...catalog.actionners.values(), ...catalog.outputs.values()];
  it.each(examples)('accepts the example of $id', ({ example }) => expect(accepts(example)).toBe(true));

  const rule = (lines: string) => `- rule: r\n  actions: [{action: a}]\n${lines}`;
  const action = (lines: string) => `- action: a\n${lines}`;

  it.each([
    '',
    '[]',
    action('  actionner: kubernetes:label'),
    action('  parameters: {anything: [1, 2]}'),
    action('  actionner: kubernetes:label\n  parameters: {labels: {a: true, b: 1, c: null}, level: node, other: x}'),
    action('  actionner: kubernetes:drain\n  parameters: {ignore_error: true}'),
    action('  actionner: kubernetes:terminate\n  parameters: null'),
    action('  continue: false\n  ignore_errors: "true"\n  additional_contexts: [aws]'),
    action('  timeout: 1m30s\n  retry: {attempts: 5, backoff: 0.5}\n  on_interrupt: retry'),
    action('  timeout: 90\n  retry: {attempts: "5", backoff: 500ms}\n  on_interrupt: null'),
    action('  timeout: ""\n  retry: null'),
    rule('  continue: "false"\n  dry_run: true\n  notifiers: [slack]'),
    rule('  match: {priority: ">=warning", rules: [A], tags: ["a, b", 5], output_fields: ["a=b"], source: syscall}'),
    rule('  match: {priority: "=CRITICAL", condition: "event.rule == \\"x\\""}'),
    rule('  match:\n    priority: Info'),
  ])('accepts %j', (text) => expect(accepts(text)).toBe(true));

  it.each<[string, string]>([
    ['rule: r', ' must be array,null'],
    ['- name: r', "must have required property 'rule'"],
    [rule('  continue: yes'), '/0/continue must be equal to one of the allowed values'],
    [rule('  dry_run: 1'), '/0/dry_run must be equal to one of the allowed values'],
    [rule('  match: {priority: ">= Warning"}'), '/0/match/priority must match pattern'],
    [rule('  match: {rules: A}'), '/0/match/rules must be array,null'],
    [rule('  match: [a]'), '/0/match must be object,null'],
    [action('  timeout: soon'), '/0/timeout must match pattern'],
    [action('  timeout: [30s]'), '/0/timeout must be string,number,null'],
    [action('  retry: 3'), '/0/retry must be object,null'],
    [action('  retry: {attempts: 0}'), '/0/retry/attempts must be >= 1'],
    [action('  retry: {attempts: many}'), '/0/retry/attempts must match pattern'],
    [action('  retry: {attempt: 3}'), '/0/retry must NOT have additional properties'],
    [action('  on_interrupt: again'), '/0/on_interrupt must be equal to one'],
    ['- rule: r\n  actions: a', '/0/actions must be array'],
    ['- rule: r\n  actions: []', '/0/actions must NOT have fewer than 1 items'],
    ['- null', '/0 must be object'],
    ['- rule: r\n  actions: [{actionner: kubernetes:cordon}]', "must have required property 'action'"],
    [action('  actionner: kubernetes:lable'), '/0/actionner must be equal to one of the allowed values'],
    [action('  actionner: kubernetes:label\n  parameters: {labels: a}'), '/0/parameters/labels must be object,null'],
    [
      action('  actionner: kubernetes:label\n  parameters: {level: cluster}'),
      '/0/parameters/level must be equal to one',
    ],
    [
      action('  actionner: kubernetes:terminate\n  parameters: {grace_period_seconds: "5"}'),
      'grace_period_seconds must be',
    ],
    [action('  actionner: kubernetes:sysdig\n  parameters: {duration: 31}'), '/0/parameters/duration must be <= 30'],
    [action('  actionner: kubernetes:log\n  output: {target: s3}'), '/0/output/target must be equal to one'],
    [action('  output: {target: aws:s3, parameters: {bucket: 5}}'), '/0/output/parameters/bucket must be string,null'],
    [
      '- rule: r\n  actions: [{action: a, actionner: kubernetes:exec, parameters: {command: [id]}}]',
      '/command must be string',
    ],
  ])('refuses %j', (text, problem) => expect(accepts(text)).toContain(problem));
});

describe('the schema of the configuration', () => {
  const validate = new Ajv({ strictTypes: false, strictRequired: false }).compile(
    JSON.parse(textOf('config.schema.json')),
  );

  it.each([...catalog.notifiers.values()].map(({ id, example }) => [id, example]))(
    'accepts the example of %s',
    (_, example) => {
      expect(validate(parse(example))).toBe(true);
    },
  );

  it('knows every setting, and what it may be', () => {
    const { properties } = JSON.parse(textOf('config.schema.json'));
    for (const { path: key } of settingLeaves()) {
      expect(key.split('.').reduce((at, name) => at?.properties?.[name], { properties })).toHaveProperty('description');
    }
    expect(validate({ listen_port: 'x', journal: { max_bytes: 1 }, rules_files: 'a,b' })).toBe(true);
    expect(validate({ listen_port: 1.5 })).toBe(false);
    expect(validate({ journal: [] })).toBe(false);
    expect(validate({ notifiers: { slack: { format: 'loud' } } })).toBe(false);
  });
});
