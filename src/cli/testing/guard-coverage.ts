import type { GuardPolicy } from '../../model/guard-policy.ts';
import type { Finding, Verdict } from '../../runtime/guards/guard.ts';

/** How far the tests of one set of policies go. */
export interface GuardCoverage {
  /** The files, for people. */
  readonly subject: string;
  readonly policies: readonly PolicyCoverage[];
}

export interface PolicyCoverage {
  readonly policy: string;
  /** Number of actions that the policy let through. */
  readonly passed: number;
  readonly denials: readonly DenialCoverage[];
}

/** A denial: a test that it stops shows what it is there for. */
export interface DenialCoverage {
  readonly message: string;
  readonly expression: string;
  readonly stopped: number;
}

/** Counts, over all tests of one set of policies, what was stopped by what. */
export class GuardCoverageCounter {
  readonly #subject: string;
  readonly #policies: readonly GuardPolicy[];
  readonly #passed = new Map<string, number>();
  readonly #stopped = new Map<string, number>();

  constructor(subject: string, policies: readonly GuardPolicy[]) {
    this.#subject = subject;
    this.#policies = policies;
  }

  /** @param applying names of the policies that are for the action */
  count(verdict: Exclude<Verdict, { kind: 'dry_run' }>, applying: readonly string[]): void {
    const own: readonly Finding[] = verdict.kind === 'allow' ? [] : [verdict];
    const findings = [...own, ...verdict.monitored];
    for (const finding of findings) add(this.#stopped, keyOf(finding));
    if (verdict.kind !== 'allow') return;
    const objecting = findings.map(({ policy }) => policy);
    for (const policy of applying) if (!objecting.includes(policy)) add(this.#passed, policy);
  }

  result(): GuardCoverage {
    const policies = this.#policies.map(({ policy, deny }) => ({
      policy,
      passed: this.#passed.get(policy) ?? 0,
      denials: deny.map(({ expression, message }) => ({
        message,
        expression,
        stopped: this.#stopped.get(keyOf({ policy, reason: message })) ?? 0,
      })),
    }));
    return { subject: this.#subject, policies };
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function keyOf({ policy, reason }: Finding): string {
  return JSON.stringify([policy, reason]);
}
