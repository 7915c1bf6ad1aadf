import { type LoadedPolicy, loadPolicy } from '@open-policy-agent/opa-wasm';
import { link } from '../src/compiler/link.ts';
import { ANY_PRIORITY, priorityNumber } from '../src/model/priority.ts';
import type { FieldTerm, MatchTerms, PolicyRule } from '../src/model/rule.ts';
import { conditionBuiltins } from '../src/runtime/engine/condition-builtins.ts';
import { createEvaluator, type Evaluator } from '../src/runtime/engine/evaluate.ts';
import { arrayBuffer } from './matching-engines.ts';

/** The terms of an item such as `a=x, b!=y`. */
export function terms(item: string): FieldTerm[] {
  return item.split(', ').map((part) => {
    const [, key = '', operator = '', value = ''] = /^([^=!]*)(!?=)(.*)$/s.exec(part) ?? [];
    return { key, operator: operator === '=' ? '=' : '!=', value };
  });
}

/** The priorities from a level up. */
export function atLeast(name: string): MatchTerms['priority'] {
  return { text: `>=${name}`, accepts: ANY_PRIORITY & ~((1 << priorityNumber(name)) - 1) };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Rules linked into one module, behind its two doors: our evaluator and the unchanged opa-wasm. */
export class ModuleDoors {
  readonly rules: readonly PolicyRule[];
  readonly module: Uint8Array;
  readonly evaluator: Evaluator;
  readonly policy: LoadedPolicy;

  private constructor(rules: readonly PolicyRule[], module: Uint8Array, policy: LoadedPolicy) {
    this.rules = rules;
    this.module = module;
    this.evaluator = createEvaluator(module, rules);
    this.policy = policy;
  }

  /** The rules get the names `r0`, `r1` and so on. */
  static async open(unnamed: readonly PolicyRule[], revision = 'rev'): Promise<ModuleDoors> {
    const rules = unnamed.map((rule, index) => ({ ...rule, rule: `r${index}` }));
    const module = link(rules, revision);
    return new ModuleDoors(rules, module, await loadPolicy(arrayBuffer(module), {}, conditionBuiltins(rules)));
  }

  /** Indices of the matching rules, or `error CODE at OFFSET`. Throws when the doors disagree. */
  matches(body: string | Uint8Array): number[] | string {
    const alert = typeof body === 'string' ? bytes(body) : body;
    const direct = this.#direct(alert);
    const stock = this.#stock(alert);
    if (JSON.stringify(direct) !== JSON.stringify(stock)) {
      throw new Error(`direct door: ${JSON.stringify(direct)}, opa-wasm: ${JSON.stringify(stock)}`);
    }
    return direct;
  }

  #direct(alert: Uint8Array): number[] | string {
    const count = this.evaluator.scan(alert);
    if (count < 0) return `error ${-count} at ${this.evaluator.errorOffset}`;
    return Array.from({ length: count }, (_, position) => this.evaluator.matched(position));
  }

  #stock(alert: Uint8Array): number[] | string {
    const result = this.policy.evaluate(arrayBuffer(alert), 'talon/plan')[0]?.result as {
      error?: number;
      offset?: number;
      rules?: { rule: string }[];
    };
    if (result.error !== undefined) return `error ${result.error} at ${result.offset}`;
    return (result.rules ?? []).map(({ rule }) => Number(rule.slice(1)));
  }
}
