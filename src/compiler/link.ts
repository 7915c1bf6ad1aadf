import type { PolicyRule } from '../model/rule.ts';
import { CORE_BASE64 } from './core/core.gen.ts';
import { lower } from './lower.ts';
import { replaceData } from './splice.ts';
import { buildTables } from './tables.ts';

/**
 * Makes the policy module of resolved rules: the prebuilt core with the tables of the policy as data. It follows OPA's
 * WebAssembly ABI, entrypoints `talon/plan` and `talon/match`, and offers our runtime a direct door (core/assembly/direct.ts).
 * The same rules and revision give the same bytes.
 *
 * @param revision stands in each plan; the runtime reads it from the module
 * @throws TalonError `rules` for rules that the checks before this step never let through
 */
export function link(rules: readonly PolicyRule[], revision: string): Uint8Array {
  const tables = buildTables(lower(rules), rules, { revision, builtins: {} });
  return replaceData(coreModule(), tables);
}

function coreModule(): Uint8Array {
  return Uint8Array.from(atob(CORE_BASE64), (character) => character.charCodeAt(0));
}
