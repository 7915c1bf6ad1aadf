import { Document, Scalar, type ToStringOptions, YAMLMap, YAMLSeq } from 'yaml';
import type { Diagnostic, RulesRecord } from '../model/diagnostic.ts';
import type { ActionBlock, MatchBlock, OutputBlock, Parameters, RetryBlock, RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import { Findings } from './findings.ts';
import { type LoadOptions, load } from './load.ts';
import type { SourceFile } from './read.ts';
import { scalarType } from './scalar-type.ts';
import type { Source } from './source.ts';
import type { ScalarNode, YamlNode } from './yaml-node.ts';

/** What `rules print` shows. */
export interface MergedRules {
  /** The rules as YAML, with `---` in front; absent when the files are refused. */
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly records: readonly RulesRecord[];
  readonly sources: readonly Source[];
}

/**
 * The rules that come out of all files: merged, references of actions filled in, defaults not. Only the structural phase
 * is run, as in Falco Talon, whose order of keys this is.
 */
export function printRules(files: readonly SourceFile[], options: LoadOptions = {}): MergedRules {
  const findings = new Findings();
  const { rules, sources } = load(files, options, findings);
  const result = { diagnostics: findings.sorted(), records: findings.records, sources };
  return findings.failed ? result : { ...result, text: rulesText(rules.map(({ block }) => block)) };
}

const LAYOUT: ToStringOptions = { lineWidth: 0, directives: true };

function rulesText(rules: readonly RuleBlock[]): string {
  const document = new Document(null);
  document.contents = list(rules.map(ruleNode)) as never;
  return document.toString(LAYOUT);
}

function ruleNode(rule: RuleBlock): YAMLMap {
  return map([
    ['rule', text(rule.rule)],
    ['description', optionalText(rule.description)],
    ['continue', optionalText(rule.continue)],
    ['dry_run', optionalText(rule.dry_run)],
    ['notifiers', optionalTexts(rule.notifiers)],
    ['actions', list(rule.actions.map(actionNode))],
    ['match', matchNode(rule.match)],
  ]);
}

function actionNode(action: ActionBlock): YAMLMap {
  return map([
    ['parameters', parametersNode(action.parameters)],
    ['output', outputNode(action.output)],
    ['action', text(action.action)],
    ['description', optionalText(action.description)],
    ['actionner', text(action.actionner)],
    ['continue', optionalText(action.continue)],
    ['ignore_errors', optionalText(action.ignore_errors)],
    ['additional_contexts', optionalTexts(action.additional_contexts)],
    ['timeout', optionalValue(action.timeout)],
    ['retry', retryNode(action.retry)],
    ['on_interrupt', optionalValue(action.on_interrupt)],
  ]);
}

function retryNode(retry: RetryBlock | undefined): YAMLMap | undefined {
  if (!retry?.attempts && !retry?.backoff) return undefined;
  return map([
    ['attempts', optionalValue(retry.attempts)],
    ['backoff', optionalValue(retry.backoff)],
  ]);
}

function outputNode(output: OutputBlock | undefined): YAMLMap | undefined {
  if (!output?.target?.text && !output?.parameters?.size) return undefined;
  return map([
    ['parameters', parametersNode(output.parameters)],
    ['target', text(output.target)],
  ]);
}

function matchNode(match: MatchBlock): YAMLMap {
  return map([
    ['output_fields', optionalTexts(match.output_fields)],
    ['priority', optionalText(match.priority)],
    ['source', optionalText(match.source)],
    ['rules', optionalTexts(match.rules)],
    ['tags', optionalTexts(match.tags)],
    ['condition', optionalText(match.condition)],
  ]);
}

function parametersNode(parameters: Parameters | undefined): YAMLMap | undefined {
  return parameters?.size ? sortedMap(parameters) : undefined;
}

/** Falco Talon's printer sorts the keys of maps. */
function sortedMap(entries: Parameters): YAMLMap {
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return map(sorted.map(([name, { value }]) => [name, valueNode(value)]));
}

function valueNode(node: YamlNode): unknown {
  if (node.kind === 'list') return list(node.items.map(valueNode));
  if (node.kind === 'map') return sortedMap(node.entries);
  const { type, value } = scalarType(node);
  return type === 'string' ? textScalar(node.text) : new Scalar(type === 'date' ? node.text : value);
}

function map(pairs: readonly (readonly [string, unknown])[]): YAMLMap {
  const node = new YAMLMap();
  for (const [key, value] of pairs) if (value !== undefined) node.add({ key: textScalar(key), value } as never);
  return node;
}

function list(items: readonly unknown[]): YAMLSeq {
  const node = new YAMLSeq();
  node.items = [...items];
  return node;
}

function text(node: ScalarNode | undefined): Scalar {
  return textScalar(textOf(node));
}

function optionalText(node: ScalarNode | undefined): Scalar | undefined {
  return node?.text ? textScalar(node.text) : undefined;
}

/** Of the keys that are ours: a number is shown as one. */
function optionalValue(node: ScalarNode | undefined): unknown {
  return node?.text ? valueNode(node) : undefined;
}

function optionalTexts(nodes: readonly ScalarNode[]): YAMLSeq | undefined {
  return nodes.length > 0 ? list(nodes.map(text)) : undefined;
}

/** A text that a YAML reader, also one of YAML 1.1, could take for something else is quoted. */
function textScalar(value: string): Scalar {
  const scalar = new Scalar(value);
  const ambiguous = scalarType({ kind: 'scalar', text: value, plain: true } as ScalarNode).type !== 'string';
  if (ambiguous || /^(?:y|n|yes|no|on|off|<<|=)$/i.test(value)) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}
