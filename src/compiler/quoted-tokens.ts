import type { ActionBlock } from './blocks.ts';
import type { Findings } from './findings.ts';
import { spotWithin } from './spot-within.ts';
import type { ScalarNode } from './yaml-node.ts';

/** Parameters that a shell of the container reads, where the actionner is given one. */
const SHELL_TEXTS = ['command', 'script'];

/** Tokens come from field names with a dot, so they have an underscore: awk's `$NF` is none. */
const TOKEN = /\$(?:\{([A-Z][A-Z0-9]*_[A-Z0-9_]*)\}|([A-Z][A-Z0-9]*_[A-Z0-9_]*))/y;

/** Tokens reach a shell as variables, and a shell does not expand variables in single quotes. */
export function warnOfQuotedTokens(action: ActionBlock, findings: Findings): void {
  const shell = action.parameters?.get('shell')?.value;
  if (shell?.kind === 'scalar' && !shell.text.endsWith('sh')) return;
  for (const name of SHELL_TEXTS) {
    const node = action.parameters?.get(name)?.value;
    if (node?.kind === 'scalar') warnOfText(node, findings);
  }
}

function warnOfText(node: ScalarNode, findings: Findings): void {
  const quoted = singleQuoted(node.text);
  for (let at = node.text.indexOf('$'); at >= 0; at = node.text.indexOf('$', at + 1)) {
    TOKEN.lastIndex = at;
    const [token] = TOKEN.exec(node.text) ?? [];
    if (!token || !quoted(at)) continue;
    findings.add(
      'T1703',
      spotWithin(node, at, at + token.length),
      `the shell does not expand \`${token}\` in single quotes`,
      {
        hint: 'use double quotes',
      },
    );
  }
}

/** Tells whether an offset of a shell text stands in single quotes; offsets must ascend from call to call. */
function singleQuoted(text: string): (offset: number) => boolean {
  let at = 0;
  let quote = '';
  return (offset) => {
    for (; at < offset; at++) {
      const character = text[at];
      if (character === '\\' && quote !== "'") at++;
      else if (quote === '' && (character === "'" || character === '"')) quote = character;
      else if (character === quote) quote = '';
    }
    return quote === "'";
  };
}
