import { conditionBuiltin } from '../model/condition-builtins.ts';
import type { PolicyRule } from '../model/rule.ts';
import { type CodeTargets, conditionBody } from './condition-code.ts';
import { CORE_BASE64, CORE_BYTES } from './core/core.gen.ts';
import { lower } from './lower.ts';
import type { Segment } from './segment.ts';
import { exportedFunctions, replaceData, replaceLastBody } from './splice.ts';
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
  const core = coreModule();
  const policy = lower(rules);
  const builtins = Object.fromEntries(
    policy.conditions.filter(({ needsHost }) => needsHost).map(({ number }) => [conditionBuiltin(number), number]),
  );
  let body: Uint8Array | undefined;
  const tables = buildTables(policy, rules, { revision, builtins }, (segment) => {
    body = conditionBody(policy.conditions, targets(core, segment));
  });
  const module = replaceData(core, tables);
  return body ? replaceLastBody(module, body) : module;
}

function targets(core: Uint8Array, segment: Segment): CodeTargets {
  const functions = exportedFunctions(core);
  return {
    functionIndex(name) {
      const index = functions.get(name);
      if (index === undefined) throw new Error(`the core exports no ${name}`);
      return index;
    },
    text: (text) => segment.text(text),
  };
}

function coreModule(): Uint8Array {
  const binary = atob(CORE_BASE64);
  const bytes = new Uint8Array(CORE_BYTES);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
