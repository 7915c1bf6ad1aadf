import type { FalcoEvent } from '../../model/falco-event.ts';
import type { PolicyRule } from '../../model/rule.ts';
import { explainRule } from '../../runtime/engine/explain.ts';

/** How far the tests of one set of rules go. */
export interface Coverage {
  /** The rules files, for people. */
  readonly subject: string;
  readonly rules: readonly RuleCoverage[];
}

export interface RuleCoverage {
  readonly rule: string;
  /** Number of alerts for which the rule was planned. */
  readonly matched: number;
  readonly terms: readonly TermCoverage[];
}

/** A single term of a match: a test alert for which it holds and one for which it does not show what it is there for. */
export interface TermCoverage {
  readonly path: string;
  readonly text: string;
  readonly held: number;
  readonly failed: number;
}

type Tally = {
  rule: string;
  matched: number;
  terms: Map<string, { path: string; text: string; held: number; failed: number }>;
};

/** Counts, over all test alerts of one set of rules, which rules matched and which terms held. */
export class CoverageCounter {
  readonly #subject: string;
  readonly #rules: readonly PolicyRule[];
  readonly #tallies: readonly Tally[];

  constructor(subject: string, rules: readonly PolicyRule[]) {
    this.#subject = subject;
    this.#rules = rules;
    this.#tallies = rules.map(({ rule }) => ({ rule, matched: 0, terms: new Map() }));
  }

  /** @param matched names of the rules that the engine planned for the alert */
  count(event: FalcoEvent, matched: readonly string[]): void {
    this.#rules.forEach((rule, index) => {
      const tally = this.#tallies[index];
      if (!tally) return;
      if (matched.includes(rule.rule)) tally.matched++;
      for (const { path, text, holds } of explainRule(rule, event).terms) {
        const term = tally.terms.get(path) ?? { path, text, held: 0, failed: 0 };
        tally.terms.set(path, term);
        term[holds ? 'held' : 'failed']++;
      }
    });
  }

  result(): Coverage {
    const rules = this.#tallies.map(({ rule, matched, terms }) => ({ rule, matched, terms: [...terms.values()] }));
    return { subject: this.#subject, rules };
  }
}
