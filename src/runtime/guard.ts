import type { Step } from './enrich.ts';

/** What the guard says of a step: run it, say what it would do, or stop it. */
export type Verdict =
  | { readonly kind: 'allow' }
  | { readonly kind: 'dry_run' }
  | { readonly kind: 'deny'; readonly policy: string; readonly reason: string };

/** Stage: may stop any step. No action is run without its word. */
export type Guard = (step: Step) => Verdict;

/** The guard without policies: it knows dry runs alone, that of a rule and that of the whole server. */
export function createGuard({ dryRun }: { readonly dryRun: boolean }): Guard {
  return ({ rule }) => (dryRun || rule.dry_run ? { kind: 'dry_run' } : { kind: 'allow' });
}
