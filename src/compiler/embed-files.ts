import { matchNames } from '../model/decode-parameters.ts';
import type { Actionner } from '../model/definition.ts';
import { type ParameterSchema, parameterFacts } from '../model/parameters.ts';
import type { ActionBlock, RuleBlock } from './blocks.ts';
import { actionRecord } from './check-structure.ts';
import type { Findings } from './findings.ts';
import { isNull } from './scalar-type.ts';
import type { ScalarNode } from './yaml-node.ts';

/** Why a file cannot be read, in the words of the operating system: `no such file or directory`. */
export interface FileProblem {
  readonly problem: string;
}

/** Reads a text file for embedding. Paths are those of the rules file, relative ones as the caller sees fit. */
export type ReadFile = (path: string) => string | FileProblem;

/** Contents of the files that the parameters of one action name, by parameter. */
export type EmbeddedFiles = Readonly<Record<string, string>>;

/** UTF-8 bytes of one embedded file. */
export const MAX_EMBEDDED_BYTES = 256 * 1024;

/** Said of a file with more bytes than {@link MAX_EMBEDDED_BYTES}. */
export const TOO_LARGE: FileProblem = { problem: `it has more than ${MAX_EMBEDDED_BYTES} bytes` };

/** Reads the files that the parameters of actions name, so that the bundle needs nothing beside it. */
export class FileEmbedder {
  readonly #readFile: ReadFile | undefined;
  readonly #findings: Findings;
  /** Names of the parameters that are paths of files, by actionner. */
  readonly #paths = new Map<Actionner, readonly string[]>();

  constructor(readFile: ReadFile | undefined, findings: Findings) {
    this.#readFile = readFile;
    this.#findings = findings;
  }

  /** The contents of the files of an action, by parameter. What cannot be read becomes a finding. */
  embed(action: ActionBlock, rule: RuleBlock, actionner: Actionner): EmbeddedFiles | undefined {
    const files: Record<string, string> = {};
    for (const name of this.#pathsOf(actionner)) {
      const node = pathNode(action, actionner.parameters, name);
      if (!node) continue;
      const content = this.#read(node.text);
      if (typeof content === 'string') {
        files[name] = content;
        continue;
      }
      this.#findings.add('T1307', node, `cannot embed \`${node.text}\`: ${content.problem}`, {
        record: { error: `stat ${node.text}: ${content.problem}`, ...actionRecord(rule, action) },
      });
    }
    return Object.keys(files).length > 0 ? files : undefined;
  }

  #pathsOf(actionner: Actionner): readonly string[] {
    const kept = this.#paths.get(actionner);
    if (kept) return kept;
    const fields = Object.entries(actionner.parameters.shape);
    const names = fields.filter(([, field]) => parameterFacts(field).embeds === 'text').map(([name]) => name);
    this.#paths.set(actionner, names);
    return names;
  }

  #read(path: string): string | FileProblem {
    const content = this.#readFile?.(path) ?? { problem: 'files are not read here' };
    if (typeof content !== 'string') return content;
    return Buffer.byteLength(content) <= MAX_EMBEDDED_BYTES ? content : TOO_LARGE;
  }
}

/** The path that a parameter holds, under the name that it is decoded from. */
function pathNode(
  { parameters = new Map() }: ActionBlock,
  schema: ParameterSchema,
  name: string,
): ScalarNode | undefined {
  const written = matchNames(schema, parameters.keys()).get(name);
  const node = written === undefined ? undefined : parameters.get(written)?.value;
  return node?.kind === 'scalar' && !isNull(node) && node.text !== '' ? node : undefined;
}
