import { RE2JS } from '@bufbuild/re2';
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { ConditionEvent, EVENT_MEMBERS } from './condition-event.ts';
import { childrenOf, MACROS, type VocabularyFault } from './condition-vocabulary.ts';

const LIMITS = { maxAstNodes: 4_000, maxDepth: 64, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 8 };

/** UTF-16 units of a text that `matches` searches. RE2 needs time in proportion to it, yet up to 10 us for each of them. */
const MAX_SEARCHED = 65_536;

/** Elements that all macros of one evaluation visit together. An error in each of them costs some 10 us. */
const MAX_VISITED = 10_000;

/** What `matches` becomes: the library would give the pattern to a RegExp, which backtracks. */
export const LINEAR_MATCHES = 'matchesInLinearTime';

/** What the range of each macro is wrapped in. */
const COUNTED = 'countedElements';

/** What expressions are about: the alert. */
export const EVENT_VOCABULARY = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false })
  .registerType('Event', { ctor: ConditionEvent, fields: EVENT_MEMBERS })
  .registerVariable('event', 'Event');

/** The values of the variables of an expression, by their names. */
export type Variables = Readonly<Record<string, unknown>>;

/** One expression in the library of CEL, with the calls replaced whose cost an alert could drive up. */
export class ConditionProgram {
  readonly #environment: Environment;
  readonly #patterns = new Map<string, RE2JS>();
  readonly #text: string;
  #run: ParseResult | undefined;
  #visited = 0;

  /** @param vocabulary the variables of the expression with their types; `event` among them */
  constructor(text: string, vocabulary: Environment = EVENT_VOCABULARY) {
    this.#text = text;
    this.#environment = vocabulary
      .clone()
      .registerFunction(`string.${LINEAR_MATCHES}(string): bool`, (searched: string, pattern: string) => {
        if (searched.length > MAX_SEARCHED) throw new Error('too long for `matches`');
        return this.#patterns.get(pattern)?.test(searched);
      })
      .registerFunction(`${COUNTED}(dyn): dyn`, (range: unknown) => this.#count(range));
  }

  /** Parses the expression anew: type checking leaves marks in the tree. Throws errors of the library. */
  parse(): ParseResult {
    return this.#environment.parse(this.#text);
  }

  /** Compiles the patterns of all calls of `matches` and sends the calls to the one that takes linear time. */
  compilePatterns(node: ASTNode): VocabularyFault | undefined {
    if (node.op === 'rcall' && node.args[0] === 'matches') {
      const pattern = node.args[2][0];
      if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
        return { message: 'a pattern is a text', node: pattern ?? node };
      }
      try {
        this.#patterns.set(pattern.args, RE2JS.compile(pattern.args));
      } catch (error) {
        return { message: `not a pattern of RE2: ${error instanceof Error ? error.message : error}`, node: pattern };
      }
      node.args[0] = LINEAR_MATCHES;
    }
    for (const child of childrenOf(node)) {
      const fault = this.compilePatterns(child);
      if (fault) return fault;
    }
    return undefined;
  }

  /** True or false, or something else for a result of unknown type. Throws where CEL has an error. */
  run(variables: Variables): unknown {
    this.#run ??= this.#boundedParse();
    this.#visited = 0;
    return this.#run(variables);
  }

  #boundedParse(): ParseResult {
    const parsed = this.parse();
    this.compilePatterns(parsed.ast);
    this.#countElements(parsed.ast);
    return parsed;
  }

  /** The library has expanded a macro into a loop already; the range of the loop goes through our function first. */
  #countElements(node: ASTNode): void {
    if (node.op === 'rcall' && MACROS.has(node.args[0])) {
      const { alternate } = (node as unknown as { meta: { alternate: { args: { iterable: ASTNode } } } }).meta;
      const counted = this.#environment.parse(`${COUNTED}(event)`).ast;
      if (counted.op !== 'call') throw new TypeError(`${COUNTED} is no function`);
      counted.args[1][0] = alternate.args.iterable;
      alternate.args.iterable = counted;
    }
    for (const child of childrenOf(node)) this.#countElements(child);
  }

  #count(range: unknown): unknown {
    if (Array.isArray(range)) this.#visited += range.length;
    else if (range instanceof Map) this.#visited += range.size;
    if (this.#visited > MAX_VISITED) throw new Error('too many elements for macros');
    return range;
  }
}
