import { type LoadedPolicy, loadPolicy } from '@open-policy-agent/opa-wasm';
import { link } from '../../src/compiler/link.ts';
import { decodeEvent } from '../../src/model/decode-event.ts';
import type { EventErrorCode, FalcoEvent } from '../../src/model/falco-event.ts';
import { stripOutputPrefix } from '../../src/model/output-prefix.ts';
import { repairUtf8 } from '../../src/model/repair-utf8.ts';
import type { Plan, PolicyRule } from '../../src/model/rule.ts';
import { conditionBuiltins } from '../../src/runtime/engine/condition-builtins.ts';
import { createEvaluator, type Evaluator, type HeaderField } from '../../src/runtime/engine/evaluate.ts';
import { interpret } from '../../src/runtime/engine/interpret.ts';
import { arrayBuffer } from '../matching-engines.ts';

/** Names of the matched rules, or why the body is no alert. */
export type Answer = readonly string[] | { readonly error: EventErrorCode; readonly offset: number };

const HEADER_FIELDS: readonly HeaderField[] = ['rule', 'priority', 'source', 'output'];
const REVISION = 'generated';

/** The same rules in every engine. */
export class Engines {
  readonly rules: readonly PolicyRule[];
  readonly #evaluator: Evaluator;
  readonly #stock: LoadedPolicy | undefined;

  private constructor(rules: readonly PolicyRule[], evaluator: Evaluator, stock: LoadedPolicy | undefined) {
    this.rules = rules;
    this.#evaluator = evaluator;
    this.#stock = stock;
  }

  /** @param withStock also load the module in the unchanged opa-wasm */
  static async load(rules: readonly PolicyRule[], withStock: boolean): Promise<Engines> {
    const module = link(rules, REVISION);
    const stock = withStock ? await loadPolicy(arrayBuffer(module), {}, conditionBuiltins(rules)) : undefined;
    return new Engines(rules, createEvaluator(module, rules), stock);
  }

  /** How the engines differ on a body; undefined when they agree. */
  difference(body: Uint8Array): string | undefined {
    const decoded = decodeEvent(body);
    const expected: Answer = decoded.ok
      ? interpret(this.rules, decoded.event).map((index) => this.rules[index]?.rule ?? '')
      : { error: decoded.code, offset: decoded.offset };
    return (
      differs('module, direct door', this.#direct(body), expected) ??
      (decoded.ok ? this.#headerDifference(body, decoded.event) : undefined) ??
      this.#stockDifference(body, expected)
    );
  }

  /** What the interpreter says. */
  answer(body: Uint8Array): Answer {
    const decoded = decodeEvent(body);
    if (!decoded.ok) return { error: decoded.code, offset: decoded.offset };
    return interpret(this.rules, decoded.event).map((index) => this.rules[index]?.rule ?? '');
  }

  #direct(body: Uint8Array): Answer {
    const count = this.#evaluator.scan(body);
    if (count < 0) return { error: -count as EventErrorCode, offset: this.#evaluator.errorOffset };
    return Array.from({ length: count }, (_, position) => this.rules[this.#evaluator.matched(position)]?.rule ?? '');
  }

  /** The places of the header fields hold the texts that the reader of alerts gives. */
  #headerDifference(body: Uint8Array, event: FalcoEvent): string | undefined {
    const found = Object.fromEntries(HEADER_FIELDS.map((field) => [field, this.#textAt(body, field)]));
    const seen = { ...found, source: found.source || 'syscall', output: stripOutputPrefix(found.output ?? '') };
    const { rule, priority, source, output } = event;
    return differs('places of header fields', seen, { rule, priority, source, output });
  }

  #textAt(body: Uint8Array, field: HeaderField): string {
    const start = this.#evaluator.start(field);
    if (start < 0) return '';
    const raw = Buffer.from(repairUtf8(body.subarray(start, this.#evaluator.end(field))));
    return (JSON.parse(`"${raw}"`) as string).replace(LONE_SURROGATE, '\ufffd');
  }

  #stockDifference(body: Uint8Array, expected: Answer): string | undefined {
    if (!this.#stock) return undefined;
    const input = arrayBuffer(repairUtf8(body));
    const match = this.#stock.evaluate(input, 'talon/match')[0]?.result;
    const plan: unknown = this.#stock.evaluate(input, 'talon/plan')[0]?.result;
    return (
      differs('talon/match in opa-wasm', match, expected) ??
      differs('talon/plan in opa-wasm', plan, this.#plan(expected))
    );
  }

  #plan(answer: Answer): unknown {
    if ('error' in answer) return answer;
    const names = new Set(answer);
    const rules = this.rules.filter(({ rule }) => names.has(rule)).map(({ match: _, ...planned }) => planned);
    return { revision: REVISION, rules } satisfies Plan;
  }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function differs(what: string, found: unknown, expected: unknown): string | undefined {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  return left === right ? undefined : `${what}: ${left}, the interpreter: ${right}`;
}
