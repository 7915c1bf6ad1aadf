import { catalog } from '../src/cli/plugins/catalog.ts';
import { compile } from '../src/compiler/compile.ts';
import type { Bundle } from '../src/model/bundle.ts';
import type { OracleCase } from './oracle-case.ts';
import { rulesFiles } from './rules-files.ts';

const bundles = new Map<string, Bundle>();

/** The bundle of a case whose rules are valid; compiled once for all engines. */
export function compileCase(oracleCase: OracleCase<unknown>): Bundle {
  const bundle = bundles.get(oracleCase.id) ?? compiled(oracleCase);
  bundles.set(oracleCase.id, bundle);
  return bundle;
}

function compiled({ id, rules }: OracleCase<unknown>): Bundle {
  const { bundle, diagnostics } = compile(rulesFiles(rules), { catalog });
  if (bundle) return bundle;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  throw new Error(`${id} does not compile: ${errors.join('; ')}`);
}
