import { BUNDLE_FILES, BUNDLE_FORMAT, type Bundle, type BundleData } from '../../model/bundle.ts';
import { bundleRevision, moduleDigest } from '../../model/bundle-revision.ts';
import type { EventError, EventErrorCode } from '../../model/falco-event.ts';
import type { KubeGrant } from '../../model/grant.ts';
import type { GuardPolicy } from '../../model/guard-policy.ts';
import { parseGuard } from '../../model/parsed-guard.ts';
import type { Plan, PlannedRule, PolicyRule } from '../../model/rule.ts';
import { TalonError } from '../../model/talon-error.ts';
import { createEvaluator, type Evaluator } from './evaluate.ts';
import { readArchive } from './read-archive.ts';

/** Compiled rules, ready for alerts. */
export interface Engine {
  readonly revision: string;
  readonly rules: readonly PolicyRule[];
  /** What stands before every action, ready for `createGuard`. */
  readonly guards: readonly GuardPolicy[];
  /** For callers that need no objects per alert: indices of rules, places of the header fields. */
  readonly evaluator: Evaluator;
  /** The names of the rules that match an alert (a JSON text), in order, and what to do about it. */
  evaluate(alert: Uint8Array): EngineAnswer | EventError;
}

export interface EngineAnswer {
  readonly ok: true;
  readonly rules: readonly string[];
  readonly plan: Plan;
}

const MIB = 1024 * 1024;
/** The largest bundle file. */
export const MAX_BUNDLE_BYTES = 64 * MIB;
const LIMITS = { packed: MAX_BUNDLE_BYTES, unpacked: 256 * MIB, entries: 4096 };

/**
 * Opens a bundle (tar.gz): checks that it is whole and that its parts belong together, and makes the engine ready.
 *
 * @throws TalonError('bundle') with the reason for what is corrupt, truncated, too large, not ours or put together wrongly
 */
export async function openBundle(bytes: Uint8Array): Promise<Engine> {
  const files = await readArchive(bytes, LIMITS);
  const manifest = document(files, BUNDLE_FILES.manifest);
  const data = bundleData(document(files, BUNDLE_FILES.data));
  const module = files.get(BUNDLE_FILES.module);
  if (!module) throw refused(`${BUNDLE_FILES.module} is missing`);
  if (manifest.revision !== data.revision) throw refused('manifest and data have different revisions');
  const sources = {
    rules: textsBelow(BUNDLE_FILES.rules, files),
    policies: textsBelow(BUNDLE_FILES.policies, files),
  };
  if (bundleRevision(data, sources) !== data.revision) throw refused('its content is not that of its revision');
  if (moduleDigest(module) !== data.module)
    throw refused(`${BUNDLE_FILES.module} is not the module that it was made with`);
  return openModule({ ...data, module });
}

type UnpackedBundle = Pick<Bundle, 'revision' | 'rules' | 'guards' | 'module'>;

/** What was made by somebody else may fail in any way. */
function openModule(bundle: UnpackedBundle): Engine {
  try {
    for (const guard of bundle.guards) parseGuard(guard);
    return openRules(bundle);
  } catch (error) {
    if (error instanceof TalonError) throw error;
    throw refused(`it cannot be opened: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/**
 * An engine for rules that were compiled in this process.
 *
 * @throws TalonError('bundle') for a module that is not one of these rules
 */
export function openRules({ revision, rules, guards, module }: UnpackedBundle): Engine {
  const evaluator = createEvaluator(module, rules);
  if (evaluator.revision !== revision) throw refused('module and data have different revisions');
  const planned = rules.map(({ match: _, ...rule }): PlannedRule => rule);
  const evaluate = (alert: Uint8Array): EngineAnswer | EventError => {
    const count = evaluator.scan(alert);
    if (count < 0) return { ok: false, code: -count as EventErrorCode, offset: evaluator.errorOffset };
    const matched = Array.from({ length: count }, (_, position) => planned[evaluator.matched(position)]);
    const found = matched.filter((rule) => rule !== undefined);
    return { ok: true, rules: found.map(({ rule }) => rule), plan: { revision, rules: found } };
  };
  return { revision, rules, guards, evaluator, evaluate };
}

/** The texts of the files of a folder, in the order of their names, whatever that of the archive is. */
function textsBelow(folder: string, files: ReadonlyMap<string, Buffer>): string[] {
  const names = [...files.keys()].filter((name) => name.startsWith(folder)).sort();
  return names.map((name) => String(files.get(name)));
}

/** The part of `data.json` that is ours. Its inner shape needs no check: the revision is the digest of it. */
function bundleData(root: Record<string, unknown>): Omit<BundleData, 'metadata'> {
  const data = (root.talon as { bundle?: Partial<BundleData> } | undefined)?.bundle;
  if (typeof data !== 'object' || data === null) throw refused('it was not made by talon');
  const { format, revision, module, rules, guards, grants } = data;
  if (format !== BUNDLE_FORMAT) {
    throw refused(`its format is ${JSON.stringify(format)}, this program reads format ${BUNDLE_FORMAT}`);
  }
  const complete = typeof revision === 'string' && typeof module === 'string';
  if (!complete || !Array.isArray(rules) || !Array.isArray(guards) || !Array.isArray(grants)) {
    throw refused(`${BUNDLE_FILES.data} is incomplete`);
  }
  return {
    format,
    revision,
    module,
    rules: rules as readonly PolicyRule[],
    guards: guards as readonly GuardPolicy[],
    grants: grants as readonly KubeGrant[],
  };
}

function document(files: ReadonlyMap<string, Buffer>, name: string): Record<string, unknown> {
  const content = files.get(name);
  if (!content) throw refused(`${name} is missing`);
  try {
    const value: unknown = JSON.parse(content.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw refused(`${name} is not JSON`, error);
  }
  throw refused(`${name} is not an object`);
}

function refused(reason: string, cause?: unknown): TalonError {
  return new TalonError('bundle', `the bundle is refused: ${reason}`, { cause });
}
