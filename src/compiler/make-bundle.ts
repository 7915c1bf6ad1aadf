import { BUNDLE_FORMAT, type Bundle, type BundleMetadata } from '../model/bundle.ts';
import { bundleRevision, moduleDigest } from '../model/bundle-revision.ts';
import type { Door } from '../model/capability.ts';
import type { Catalog } from '../model/definition.ts';
import { grants } from '../model/doors.ts';
import type { PolicyRule } from '../model/rule.ts';
import { link } from './link.ts';
import { pack } from './pack.ts';
import type { Source } from './source.ts';

/** Links the rules into a module and gives both a revision: the digest of the rules and their sources. */
export function makeBundle(rules: readonly PolicyRule[], sources: readonly Source[], catalog: Catalog): Bundle {
  const prices = grants(doorsOf(rules, catalog));
  const texts = sources.map(({ path, text }) => ({ path, text }));
  const revision = bundleRevision(
    { rules, grants: prices },
    texts.map(({ text }) => text),
  );
  const module = link(rules, revision);
  const data = {
    format: BUNDLE_FORMAT,
    revision,
    module: moduleDigest(module),
    rules,
    guards: [],
    grants: prices,
    metadata: usedBy(rules),
  };
  return { revision, rules, guards: [], module, pack: () => pack(data, module, texts) };
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
