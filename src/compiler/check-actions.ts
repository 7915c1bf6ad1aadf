import { type DecodedParameters, decodeParameters, unknownParameters } from '../model/decode-parameters.ts';
import type { Actionner, Catalog } from '../model/definition.ts';
import type { RulesRecord } from '../model/diagnostic.ts';
import type { ParameterSchema } from '../model/parameters.ts';
import type { ActionBlock, OutputBlock, Parameters, RuleBlock } from './blocks.ts';
import { textOf } from './blocks.ts';
import { actionRecord } from './check-structure.ts';
import { embedFiles, type ReadFile } from './embed-files.ts';
import type { ErrorId } from './errors.ts';
import type { Findings } from './findings.ts';
import { parameterMap, spotOfPath } from './parameter-value.ts';
import type { EmbeddedFiles } from './policy-rule.ts';
import type { Spot } from './source.ts';
import { didYouMean } from './suggest.ts';

export interface CheckOptions {
  readonly catalog: Catalog;
  readonly readFile?: ReadFile | undefined;
}

const CONTEXTS = ['aws', 'k8snode'];

/**
 * The checks of an action against the catalog, in Falco Talon's order (V1 to V6). Returns the contents of the files that
 * its parameters name.
 */
export function checkAction(
  action: ActionBlock,
  rule: RuleBlock,
  { catalog, readFile }: CheckOptions,
  findings: Findings,
): EmbeddedFiles | undefined {
  const id = textOf(action.actionner);
  const actionner = catalog.actionners.get(id);
  // A malformed or missing one is a finding already.
  if (!/[a-z]+:[a-z]+/.test(id)) return undefined;
  if (!actionner) {
    findings.add('T1301', action.actionner, `unknown actionner \`${id}\``, {
      hint: didYouMean(id, catalog.actionners.keys()),
      record: { error: 'unknown actionner', ...actionRecord(rule, action) },
    });
    return undefined;
  }
  checkContexts(action, findings);
  const decoded = checkParameters('T1302', actionner.parameters, action.parameters, {
    owner: id,
    spot: action.actionner ?? action.spot,
    record: actionRecord(rule, action),
    findings,
  });
  const files = decoded ? embedFiles(action, rule, actionner, readFile, findings) : undefined;
  checkOutput(action, actionner, { rule, catalog, findings });
  return files;
}

interface OutputContext {
  readonly rule: RuleBlock;
  readonly catalog: Catalog;
  readonly findings: Findings;
}

function checkOutput(action: ActionBlock, actionner: Actionner, { rule, catalog, findings }: OutputContext): void {
  const output = presentOutput(action.output);
  if (!output) {
    if (actionner.artifact !== 'required') return;
    findings.add('T1303', action.actionner, `\`${actionner.id}\` needs an output for its file`, {
      hint: 'add `output` with a `target` and its `parameters`',
      record: { error: 'an output is required', ...actionRecord(rule, action) },
    });
    return;
  }
  const target = textOf(output.target);
  const { actionner: _, ...named } = actionRecord(rule, action);
  const record = { ...named, output_target: target };
  const definition = catalog.outputs.get(target);
  if (!definition) {
    findings.add('T1304', output.target, `unknown output target \`${target}\``, {
      hint: didYouMean(target, catalog.outputs.keys()),
      record: { error: 'unknown target', ...record },
    });
    return;
  }
  // Without parameters the structural check has complained.
  if (!output.parameters?.size) return;
  checkParameters('T1306', definition.parameters, output.parameters, {
    owner: target,
    spot: output.target ?? output.spot,
    record,
    findings,
  });
}

/** An output without a target counts as none. */
export function presentOutput(output: OutputBlock | undefined): OutputBlock | undefined {
  return output?.target?.text ? output : undefined;
}

interface ParameterContext {
  /** Id of the actionner or output. */
  readonly owner: string;
  /** What is shown when a parameter is missing. */
  readonly spot: Spot;
  readonly record: Omit<RulesRecord, 'error'>;
  readonly findings: Findings;
}

function checkParameters(
  code: ErrorId,
  schema: ParameterSchema,
  parameters: Parameters | undefined,
  { owner, spot, record, findings }: ParameterContext,
): boolean {
  const given = parameterMap(parameters);
  const decoded: DecodedParameters<unknown> = decodeParameters(schema, given);
  if (!decoded.ok) {
    const error = decoded.problems[0]?.message ?? 'wrong parameters';
    for (const [index, { path, message }] of decoded.problems.entries()) {
      const at = (parameters && spotOfPath(parameters, path)) ?? spot;
      // Falco Talon prints one line for an action, whatever number of its parameters is wrong.
      findings.add(code, at, message, index === 0 ? { record: { error, ...record } } : {});
    }
  }
  for (const name of given ? unknownParameters(schema, given) : []) {
    findings.add('T1702', parameters?.get(name)?.key, `\`${owner}\` has no parameter \`${name}\`, ignored`, {
      hint: didYouMean(name, Object.keys(schema.shape)),
    });
  }
  return decoded.ok;
}

function checkContexts(action: ActionBlock, findings: Findings): void {
  for (const context of action.additional_contexts) {
    if (CONTEXTS.includes(context.text)) continue;
    findings.add('T1704', context, `unknown additional context \`${context.text}\``, {
      hint: didYouMean(context.text, CONTEXTS),
    });
  }
}
