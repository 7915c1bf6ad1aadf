import { loadPolicy } from '@open-policy-agent/opa-wasm';
import type { Bundle } from '../src/model/bundle.ts';
import { decodeEvent } from '../src/model/decode-event.ts';
import { conditionBuiltins } from '../src/runtime/engine/condition-builtins.ts';
import { interpret } from '../src/runtime/engine/interpret.ts';
import { openRules } from '../src/runtime/engine/open-bundle.ts';

/** Names of the rules that match a body, in order; or why it is no alert. */
export type Match = (body: Uint8Array) => unknown;

/** The ways to evaluate a bundle. All must say the same. */
export const MATCHING_ENGINES: Readonly<Record<string, (bundle: Bundle) => Match | Promise<Match>>> = {
  interpreter: ({ rules }) => {
    return (body) => {
      const decoded = decodeEvent(body);
      return decoded.ok ? interpret(rules, decoded.event).map((index) => rules[index]?.rule) : decoded;
    };
  },

  module: (bundle) => {
    const engine = openRules(bundle);
    return (body) => {
      const answer = engine.evaluate(body);
      return answer.ok ? answer.rules : answer;
    };
  },

  'opa-wasm': async ({ module, rules }) => {
    const policy = await loadPolicy(arrayBuffer(module), {}, conditionBuiltins(rules));
    return (body) => policy.evaluate(arrayBuffer(body), 'talon/match')[0]?.result;
  },
};

/** An exact copy: opa-wasm takes nothing else for bytes. */
export function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
