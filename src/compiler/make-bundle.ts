import { BUNDLE_FORMAT, type Bundle, type BundleMetadata } from '../model/bundle.ts';
import { bundleRevision, moduleDigest } from '../model/bundle-revision.ts';
import type { Door } from '../model/capability.ts';
import type { Catalog } from '../model/definition.ts';
import type { KubeGrant } from '../model/door-row.ts';
import { grants, LOOKUP_PRICES } from '../model/doors.ts';
import type { GuardPolicy } from '../model/guard-policy.ts';
import { mostFacts, parseGuard } from '../model/parsed-guard.ts';
import type { PolicyRule } from '../model/rule.ts';
import { link } from './link.ts';
import { pack } from './pack.ts';
import type { Source } from './source.ts';

/** The files that a bundle is made of. */
export interface BundleSources {
  readonly rules: readonly Source[];
  readonly policies: readonly Source[];
}

/** Links the rules into a module and gives all of it a revision: the digest of rules, guards and their sources. */
export function makeBundle(
  rules: readonly PolicyRule[],
  guards: readonly GuardPolicy[],
  sources: BundleSources,
  catalog: Catalog,
): Bundle {
  const prices = grants(doorsOf(rules, catalog), lookupPrices(guards));
  const texts = { rules: sources.rules.map(({ text }) => text), policies: sources.policies.map(({ text }) => text) };
  const revision = bundleRevision({ rules, guards, grants: prices }, texts);
  const module = link(rules, revision);
  const data = {
    format: BUNDLE_FORMAT,
    revision,
    module: moduleDigest(module),
    rules,
    guards,
    grants: prices,
    metadata: usedBy(rules),
  };
  return { revision, rules, guards, module, pack: () => pack(data, module, sources) };
}

/** What the API server must allow for what guards look up. */
function lookupPrices(guards: readonly GuardPolicy[]): readonly KubeGrant[] {
  const needs = mostFacts(guards.map((guard) => parseGuard(guard).needs));
  if (needs === 'none') return [];
  return needs === 'pod' ? LOOKUP_PRICES.pod : [...LOOKUP_PRICES.pod, ...LOOKUP_PRICES.node];
}

/** What the rules use. */
function usedBy(rules: readonly PolicyRule[]): BundleMetadata {
  const actions = rules.flatMap((rule) => rule.actions);
  return {
    actionners: sortedSet(actions.map(({ actionner }) => actionner)),
    outputs: sortedSet(actions.flatMap(({ output }) => output?.target ?? [])),
    notifiers: sortedSet(rules.flatMap(({ notifiers }) => notifiers)),
  };
}

function sortedSet(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

/** The doors that the actionners of the rules use. Those that cannot act yet use none. */
function doorsOf(rules: readonly PolicyRule[], catalog: Catalog): Door[] {
  const ids = new Set(rules.flatMap(({ actions }) => actions.map(({ actionner }) => actionner)));
  return [...ids].flatMap((id) => catalog.actionners.get(id)?.behaviour?.uses ?? []);
}
