import { catalog } from '../src/cli/plugins/catalog.ts';
import { checkRules } from '../src/compiler/check-rules.ts';
import { ERRORS, type ErrorId } from '../src/compiler/errors.ts';
import type { Diagnostic } from '../src/model/diagnostic.ts';
import { conformance } from './harness.ts';
import { rulesFiles } from './rules-files.ts';

/** Falco Talon's stages in their order: what an earlier one refuses, a later one does not see. */
const STAGES = ['file', 'syntax', 'rules', 'parameters'] as const;

/** Texts that come from Go libraries. */
const GO_TEXT = /^(?:wrong syntax for the rule file|Key:|error decoding)/;

interface Recorded {
  readonly valid: boolean;
  readonly exit_code: number;
  readonly stage: string;
  readonly records: readonly Record<string, string>[];
}

conformance<Recorded>({
  category: 'check',
  recorded: ({ valid, exit_code, stage, records }) => ({
    valid,
    exit_code,
    stage,
    records: records.map(({ level: _, message: __, error = '', ...record }) => ({
      ...record,
      ...(!GO_TEXT.test(error) && { error }),
    })),
  }),
  ours: ({ rules, expected }) => {
    const readFile = () => ({ problem: 'no such file or directory' });
    const { diagnostics, records } = checkRules(rulesFiles(rules), { catalog, readFile });
    const stage = firstStage(diagnostics);
    return {
      valid: stage === 'ok',
      exit_code: stage === 'ok' ? 0 : 1,
      stage,
      records: records.map(({ error, ...record }, index) => {
        const free = GO_TEXT.test(expected.records[index]?.error ?? '') || GO_TEXT.test(error);
        return { ...record, ...(!free && { error }) };
      }),
    };
  },
});

function firstStage(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  return STAGES.find((stage) => errors.some(({ code }) => ERRORS[code as ErrorId].stage === stage)) ?? 'ok';
}
