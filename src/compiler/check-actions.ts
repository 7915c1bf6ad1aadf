import { decodeParameters, type ParameterProblem, unknownParameters } from '../model/decode-parameters.ts';
import type { Actionner, Catalog } from '../model/definition.ts';
import type { RulesRecord } from '../model/diagnostic.ts';
import { DEADLINE_MARGIN, leastDeadline } from '../model/least-deadline.ts';
import { type ParameterSchema, pathText } from '../model/parameters.ts';
import type { ParameterMap } from '../model/rule.ts';
import type { ActionBlock, Parameters, RuleBlock } from './blocks.ts';
import { presentOutput, textOf } from './blocks.ts';
import { actionRecord } from './check-structure.ts';
import { type EmbeddedFiles, FileEmbedder, type ReadFile } from './embed-files.ts';
import type { ErrorId } from './errors.ts';
import type { Findings } from './findings.ts';
import { spelledParameters, spotOfPath, untakenValues } from './parameter-value.ts';
import type { Spot } from './source.ts';
import { refuseParameters } from './strict-talon.ts';
import { plannedTrySettings } from './try-settings.ts';

export interface CheckOptions {
  readonly catalog: Catalog;
  readonly readFile?: ReadFile | undefined;
  /** Refuse spellings that Falco Talon does not know. */
  readonly strictTalon?: boolean;
}

const CONTEXTS = ['aws', 'k8snode'];

/** Checks actions against the catalog. */
export class ActionChecker {
  readonly #catalog: Catalog;
  readonly #findings: Findings;
  readonly #embedder: FileEmbedder;
  readonly #strictTalon: boolean;
  /** Parameters that were found good, as JSON, by what takes them: many actions have the same. */
  readonly #good = new Map<ParameterSchema, Set<string>>();

  constructor({ catalog, readFile, strictTalon = false }: CheckOptions, findings: Findings) {
    this.#catalog = catalog;
    this.#findings = findings;
    this.#embedder = new FileEmbedder(readFile, findings);
    this.#strictTalon = strictTalon;
  }

  /**
   * Makes the checks of an action in Falco Talon's order (V1 to V6). Returns the contents of the files that its parameters
   * name.
   */
  check(action: ActionBlock, rule: RuleBlock): EmbeddedFiles | undefined {
    const id = textOf(action.actionner);
    // A malformed or missing one is a finding already.
    if (!/[a-z]+:[a-z]+/.test(id)) return undefined;
    const actionner = this.#catalog.actionners.get(id);
    if (!actionner) {
      this.#findings.add('T1301', action.actionner, `unknown actionner \`${id}\``, {
        hint: this.#findings.didYouMean(id, [...this.#catalog.actionners.keys()]),
        record: { error: 'unknown actionner', ...actionRecord(rule, action) },
      });
      return undefined;
    }
    this.#checkContexts(action);
    if (this.#strictTalon) refuseParameters(action, actionner, this.#findings);
    const good = this.#checkParameters('T1302', actionner.parameters, action.parameters, {
      owner: id,
      spot: action.actionner ?? action.spot,
      record: () => actionRecord(rule, action),
    });
    if (good) this.#checkTimeout(action, actionner);
    const files = good ? this.#embedder.embed(action, rule, actionner) : undefined;
    this.#checkOutput(action, actionner, rule);
    return files;
  }

  #checkOutput(action: ActionBlock, actionner: Actionner, rule: RuleBlock): void {
    const output = presentOutput(action.output);
    if (!output) {
      if (actionner.artifact !== 'required') return;
      this.#findings.add('T1303', action.actionner, `\`${actionner.id}\` needs an output for its file`, {
        hint: 'add `output` with a `target` and its `parameters`',
        record: { error: 'an output is required', ...actionRecord(rule, action) },
      });
      return;
    }
    if (actionner.artifact === 'none') {
      this.#findings.add('T1705', output.target, `\`${actionner.id}\` makes nothing to store, the output is ignored`);
    }
    const target = textOf(output.target);
    const { actionner: _, ...named } = actionRecord(rule, action);
    const record = { ...named, output_target: target };
    const definition = this.#catalog.outputs.get(target);
    if (!definition) {
      this.#findings.add('T1304', output.target, `unknown output target \`${target}\``, {
        hint: this.#findings.didYouMean(target, [...this.#catalog.outputs.keys()]),
        record: { error: 'unknown target', ...record },
      });
      return;
    }
    // Without parameters the structural check has complained.
    if (!output.parameters?.size) return;
    const subject = { owner: target, spot: output.target ?? output.spot, record: () => record };
    this.#checkParameters('T1306', definition.parameters, output.parameters, subject);
  }

  /** A time-out that always cuts the action off is a mistake; the parameters are good. */
  #checkTimeout(action: ActionBlock, { id, parameters, behaviour }: Actionner): void {
    const { timeout } = plannedTrySettings(action);
    if (timeout === undefined) return;
    const decoded = decodeParameters(parameters, spelledParameters(action.parameters, parameters));
    const least = decoded.ok ? leastDeadline(behaviour, decoded.value) : 0;
    if (timeout >= least) return;
    const takes = `\`${id}\` takes ${least - DEADLINE_MARGIN} s by its parameters`;
    const message = `the \`timeout\` of ${timeout} s is too short: ${takes}, and needs ${DEADLINE_MARGIN} s more`;
    this.#findings.add('T1407', action.timeout, message, { hint: `write \`timeout: ${least}s\` or more` });
  }

  #checkParameters(
    code: ErrorId,
    schema: ParameterSchema,
    parameters: Parameters | undefined,
    { owner, spot, record }: Subject,
  ): boolean {
    const given = spelledParameters(parameters, schema);
    const untaken = parameters ? untakenProblems(parameters, schema) : [];
    const text = JSON.stringify(given);
    const good = this.#good.get(schema) ?? new Set();
    if (untaken.length === 0 && good.has(text)) return true;
    this.#good.set(schema, good);
    const problems = [...untaken, ...otherProblems(schema, given, untaken)];
    const error = problems[0]?.message ?? 'wrong parameters';
    for (const [index, { path, message }] of problems.entries()) {
      const at = (parameters && spotOfPath(parameters, path)) ?? spot;
      // Falco Talon prints one line for an action, whatever number of its parameters is wrong.
      this.#findings.add(code, at, message, index === 0 ? { record: { error, ...record() } } : {});
    }
    const unknown = given ? unknownParameters(schema, given) : [];
    for (const name of unknown) {
      this.#findings.add('T1702', parameters?.get(name)?.key, `\`${owner}\` has no parameter \`${name}\`, ignored`, {
        hint: this.#findings.didYouMean(name, Object.keys(schema.shape)),
      });
    }
    if (problems.length + unknown.length === 0) good.add(text);
    return problems.length === 0;
  }

  #checkContexts(action: ActionBlock): void {
    for (const context of action.additional_contexts) {
      if (CONTEXTS.includes(context.text)) continue;
      this.#findings.add('T1704', context, `unknown additional context \`${context.text}\``, {
        hint: this.#findings.didYouMean(context.text, CONTEXTS),
      });
    }
  }
}

/** To Falco Talon a date is no text, whatever it looks like. */
function untakenProblems(parameters: Parameters, schema: ParameterSchema): ParameterProblem[] {
  return untakenValues(parameters, schema).map(({ path, what }) => ({
    path,
    message: `parameter '${pathText(path)}' is ${what}`,
  }));
}

/** What is wrong beside values of those types. */
function otherProblems(
  schema: ParameterSchema,
  given: ParameterMap | null,
  untaken: readonly ParameterProblem[],
): readonly ParameterProblem[] {
  const decoded = decodeParameters(schema, given);
  if (decoded.ok) return [];
  const seen = new Set(untaken.map(({ path }) => pathText(path)));
  return decoded.problems.filter(({ path }) => !seen.has(pathText(path)));
}

/** Whose parameters are checked. */
interface Subject {
  /** Id of the actionner or output. */
  readonly owner: string;
  /** What is shown when a parameter is missing. */
  readonly spot: Spot;
  readonly record: () => Omit<RulesRecord, 'error'>;
}
