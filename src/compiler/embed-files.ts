import type { Actionner } from '../model/definition.ts';
import { parameterFacts } from '../model/parameters.ts';
import type { ActionBlock, RuleBlock } from './blocks.ts';
import { actionRecord } from './check-structure.ts';
import type { Findings } from './findings.ts';
import type { EmbeddedFiles } from './policy-rule.ts';
import { isNull } from './scalar-type.ts';
import type { ScalarNode } from './yaml-node.ts';

/** Why a file cannot be read, in the words of the operating system: `no such file or directory`. */
export interface FileProblem {
  readonly problem: string;
}

/** Reads a text file for embedding. Paths are those of the rules file, relative ones as the caller sees fit. */
export type ReadFile = (path: string) => string | FileProblem;

/** UTF-8 bytes of one embedded file. */
export const MAX_EMBEDDED_BYTES = 256 * 1024;

/** Reads the files that the parameters of an action name, so that the bundle needs nothing beside it. */
export function embedFiles(
  action: ActionBlock,
  rule: RuleBlock,
  actionner: Actionner,
  readFile: ReadFile | undefined,
  findings: Findings,
): EmbeddedFiles | undefined {
  const files: Record<string, string> = {};
  for (const [name, field] of Object.entries(actionner.parameters.shape)) {
    if (parameterFacts(field).embeds !== 'text') continue;
    const node = pathNode(action, name);
    if (!node) continue;
    const content = contentOf(node.text, readFile);
    if (typeof content === 'string') {
      files[name] = content;
      continue;
    }
    findings.add('T1307', node, `cannot embed \`${node.text}\`: ${content.problem}`, {
      record: { error: `stat ${node.text}: ${content.problem}`, ...actionRecord(rule, action) },
    });
  }
  return Object.keys(files).length > 0 ? files : undefined;
}

function pathNode(action: ActionBlock, name: string): ScalarNode | undefined {
  const entry = action.parameters && [...action.parameters].find(([written]) => written.toLowerCase() === name);
  const node = entry?.[1].value;
  return node?.kind === 'scalar' && !isNull(node) && node.text !== '' ? node : undefined;
}

function contentOf(path: string, readFile: ReadFile | undefined): string | FileProblem {
  const content = readFile?.(path) ?? { problem: 'files are not read here' };
  if (typeof content !== 'string') return content;
  const size = Buffer.byteLength(content);
  if (size <= MAX_EMBEDDED_BYTES) return content;
  return { problem: `it has ${size} bytes, more than ${MAX_EMBEDDED_BYTES}` };
}
