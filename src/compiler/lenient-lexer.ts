import { Lexer } from 'yaml';

/** The parts of the package's lexer that are changed here; they are not in its public types. */
interface LexerParts {
  /** Columns by which the lines of a value must be indented. */
  indentNext: number;
  parseQuotedScalar(): Generator<string, unknown>;
  parseFlowCollection(): Generator<string, unknown>;
}

/**
 * A lexer that takes quoted texts and flow collections over several lines however these are indented. YAML wants them
 * further right than their key; Falco Talon's reader, like most others, does not mind.
 */
export function lenientLexer(): Lexer {
  const lexer = new Lexer();
  const parts = lexer as unknown as LexerParts;
  parts.parseQuotedScalar = withoutIndent(parts, parts.parseQuotedScalar);
  parts.parseFlowCollection = withoutIndent(parts, parts.parseFlowCollection);
  return lexer;
}

function withoutIndent(lexer: LexerParts, parse: () => Generator<string, unknown>): () => Generator<string, unknown> {
  return function* () {
    const kept = lexer.indentNext;
    lexer.indentNext = 0;
    const next = yield* parse.call(lexer);
    if (lexer.indentNext === 0) lexer.indentNext = kept;
    return next;
  };
}
