import { BUNDLE_FORMAT, type Bundle, type BundleMetadata } from '../model/bundle.ts';
import { bundleRevision, moduleDigest } from '../model/bundle-revision.ts';
import type { Catalog } from '../model/definition.ts';
import type { GuardPolicy } from '../model/guard-policy.ts';
import { leastRights } from '../model/rights.ts';
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
  const { kubernetes: prices } = leastRights({ rules, guards }, catalog);
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
