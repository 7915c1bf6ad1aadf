import { catalog } from '../src/cli/plugins/catalog.ts';
import { compile } from '../src/compiler/compile.ts';
import type { Bundle } from '../src/model/bundle.ts';

const TEXT = `
- rule: all
  match: {}
  actions: [{action: a, actionner: kubernetes:label, parameters: {labels: {a: b}}}]
`;

/** A bundle whose only rule matches every alert. */
export function ruleForEverything(): Bundle {
  const { bundle } = compile([{ path: 'rules.yaml', text: TEXT }], { catalog });
  if (!bundle) throw new Error('the rule does not compile');
  return bundle;
}
