import type { ActionBlock, Blocks, MatchBlock, OutputBlock, Parameters, RuleBlock } from './blocks.ts';
import { checkShape, wrongKind } from './check-shape.ts';
import { Fields, isUnset, keySpot, named } from './fields.ts';
import type { Findings } from './findings.ts';
import { readDocuments } from './read-documents.ts';
import { ACTION, ENTRY, MATCH, OUTPUT, RULE } from './shapes.ts';
import type { Source, Spot } from './source.ts';
import { refuseUnknown } from './strict-talon.ts';
import { readTrySettings, TRY_KEYS } from './try-settings.ts';
import type { MapNode, ScalarNode, YamlNode } from './yaml-node.ts';

const ACTION_KEYS = [...Object.keys(ACTION), ...TRY_KEYS];
const RULE_KEYS = Object.keys(RULE);
const MATCH_KEYS = Object.keys(MATCH);
const OUTPUT_KEYS = Object.keys(OUTPUT);

export interface ParseOptions {
  /** Refuse what Falco Talon does not know instead of ignoring that it does not. */
  readonly strictTalon: boolean;
}

/** Reads the entries of one rules file: action blocks and rule blocks, in their order. */
export function parse(source: Source, findings: Findings, options: ParseOptions): Blocks {
  return new EntryParser(findings, options).file(source);
}

class EntryParser {
  readonly #findings: Findings;
  readonly #fields: Fields;
  readonly #options: ParseOptions;

  constructor(findings: Findings, options: ParseOptions) {
    this.#findings = findings;
    this.#fields = new Fields(findings);
    this.#options = options;
  }

  file(source: Source): Blocks {
    const entries = readDocuments(source, this.#findings).flatMap((root, index) => this.#document(root, index));
    return {
      actions: entries.flatMap((entry) => (named(entry, 'action') ? [this.#action(entry)] : [])),
      rules: entries.flatMap((entry) => (named(entry, 'rule') ? [this.#rule(entry)] : [])),
    };
  }

  #document(root: YamlNode | null, index: number): MapNode[] {
    if (!root || isUnset(root)) return [];
    if (index > 0) {
      const message = 'Falco Talon does not read this: only the first document of a file counts there';
      this.#findings.add(this.#options.strictTalon ? 'T1403' : 'T1505', root, message);
    }
    if (root.kind !== 'list') {
      const isTest = root.kind === 'map' && root.entries.has('tests');
      const hint = isTest ? 'this is a file of tests: `talon compile --test` runs it' : undefined;
      wrongKind(root, 'a rules file', 'a list of rules and action blocks', this.#findings, hint);
      return [];
    }
    return root.items.flatMap((item) => this.#entry(item));
  }

  #entry(item: YamlNode): MapNode[] {
    if (isUnset(item)) {
      this.#findings.add('T1503', item, 'empty entry, ignored');
      return [];
    }
    if (item.kind !== 'map') {
      wrongKind(item, 'an entry', 'a rule or an action block', this.#findings);
      return [];
    }
    checkShape(item, ENTRY, this.#findings);
    const isAction = named(item, 'action');
    const isRule = named(item, 'rule');
    if (isAction && isRule) {
      this.#findings.add('T1504', keySpot(item, 'rule'), 'this entry is both a rule and an action block');
    }
    if (!isAction && !isRule) this.#nameless(item);
    else if (!isRule) this.#fields.unknownKeys(item, ACTION_KEYS);
    else this.#fields.unknownKeys(item, isAction ? [...RULE_KEYS, ...ACTION_KEYS] : RULE_KEYS, MATCH_KEYS);
    return [item];
  }

  /** An entry that Falco Talon passes over without a word: its name is empty, or its key is misspelt. */
  #nameless(item: MapNode): void {
    const key = ['rule', 'action'].find((name) => item.entries.has(name));
    if (key) {
      const value = item.entries.get(key)?.value;
      const what = key === 'rule' ? 'rule' : 'action block';
      if (value?.kind === 'scalar') this.#findings.add('T1502', item, `this ${what} has no name and is ignored`);
      return;
    }
    const names = [...item.entries.keys()];
    const hint = names.map((name) => this.#findings.didYouMean(name, ['rule', 'action'])).find(Boolean);
    this.#findings.add('T1502', item, 'neither a rule nor an action block, ignored', { hint });
  }

  #rule(item: MapNode): RuleBlock {
    const rule = this.#fields.text(item, 'rule') ?? emptyAt(item);
    return {
      spot: item,
      rule,
      description: this.#fields.text(item, 'description'),
      match: this.#match(this.#fields.map(item, 'match')),
      continue: this.#fields.text(item, 'continue'),
      dry_run: this.#fields.text(item, 'dry_run'),
      notifiers: this.#fields.texts(item, 'notifiers'),
      actions: this.#actions(item),
    };
  }

  #match(map: MapNode | undefined): MatchBlock {
    if (!map) {
      return { rules: [], priority: undefined, source: undefined, tags: [], output_fields: [], condition: undefined };
    }
    this.#fields.unknownKeys(map, MATCH_KEYS);
    if (map.entries.has('condition')) this.#extension(keySpot(map, 'condition'), '`match.condition`');
    return {
      rules: this.#fields.texts(map, 'rules'),
      priority: this.#fields.text(map, 'priority'),
      source: this.#fields.text(map, 'source'),
      tags: this.#fields.texts(map, 'tags'),
      output_fields: this.#fields.texts(map, 'output_fields'),
      condition: this.#fields.text(map, 'condition'),
    };
  }

  #actions(rule: MapNode): ActionBlock[] {
    return this.#fields.items(rule, 'actions').flatMap((item) => {
      if (item.kind !== 'map') return [];
      this.#fields.unknownKeys(item, ACTION_KEYS);
      return [this.#action(item)];
    });
  }

  #action(map: MapNode): ActionBlock {
    return {
      spot: map,
      action: this.#fields.text(map, 'action'),
      description: this.#fields.text(map, 'description'),
      actionner: this.#fields.text(map, 'actionner'),
      continue: this.#fields.text(map, 'continue'),
      ignore_errors: this.#fields.text(map, 'ignore_errors'),
      parameters: this.#parameters(map),
      additional_contexts: this.#contexts(map),
      output: this.#output(this.#fields.map(map, 'output')),
      ...readTrySettings(map, this.#findings, this.#options),
    };
  }

  #contexts(map: MapNode): readonly ScalarNode[] {
    if (map.entries.has('contexts'))
      this.#extension(keySpot(map, 'contexts'), '`contexts` (it reads `additional_contexts`)');
    return [...this.#fields.texts(map, 'additional_contexts'), ...this.#fields.texts(map, 'contexts')];
  }

  #output(map: MapNode | undefined): OutputBlock | undefined {
    if (!map) return undefined;
    this.#fields.unknownKeys(map, OUTPUT_KEYS);
    return { spot: map, target: this.#fields.text(map, 'target'), parameters: this.#parameters(map) };
  }

  #parameters(map: MapNode): Parameters | undefined {
    return this.#fields.map(map, 'parameters')?.entries;
  }

  #extension(spot: Spot, what: string): void {
    if (this.#options.strictTalon) refuseUnknown(spot, what, this.#findings);
  }
}

function emptyAt(spot: Spot): ScalarNode {
  return { kind: 'scalar', source: spot.source, start: spot.start, end: spot.end, text: '', plain: false };
}
