import { describe } from 'vitest';
import { catalog } from '../src/cli/catalog.ts';
import { checkRules } from '../src/compiler/check-rules.ts';
import { decodeEvent } from '../src/model/decode-event.ts';
import type { PolicyRule } from '../src/model/rule.ts';
import { interpret } from '../src/runtime/interpret.ts';
import { conformance } from './harness.ts';
import type { OracleCase } from './oracle-case.ts';
import { rulesFiles } from './rules-files.ts';

interface Matched {
  readonly matched: readonly string[];
  /** The alert was taken and then lost. */
  readonly dropped?: boolean;
}

describe('the interpreter', () => {
  conformance<Matched>({
    category: 'match',
    recorded: ({ matched, dropped }) => (dropped ? 'lost' : matched),
    ours: (oracleCase) => interpreted(compiledRules(oracleCase), oracleCase.bodies[0] ?? ''),
  });
});

function compiledRules({ rules }: OracleCase<Matched>): readonly PolicyRule[] {
  const checked = checkRules(rulesFiles(rules), { catalog });
  if (!checked.rules) throw new Error(checked.diagnostics.map(({ message }) => message).join('; '));
  return checked.rules;
}

function interpreted(rules: readonly PolicyRule[], body: string): unknown {
  const decoded = decodeEvent(Buffer.from(body));
  return decoded.ok ? interpret(rules, decoded.event).map((index) => rules[index]?.rule) : decoded;
}
