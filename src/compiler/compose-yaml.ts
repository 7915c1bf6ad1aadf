import { Composer, type CST, type Document, type Lexer, Parser } from 'yaml';
import type { ErrorId } from './errors.ts';

/** Collections inside one another, counted as the parser stacks them. Rules need about ten. */
const MAX_DEPTH = 200;
/** A file with more documents than this is no rules file. */
const MAX_DOCUMENTS = 100;
/** Faults reported of one text; what follows them is mostly consequence. */
const MAX_FAULTS = 10;

/** Something wrong with the YAML itself. */
export interface YamlFault {
  readonly code: ErrorId;
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Thrown, and caught, when there are enough faults. */
export const ENOUGH = new Error('enough faults');

/**
 * The documents of a text as the yaml package composes them, scalars as texts. What is wrong goes to `faults`; then the
 * documents are not to be used.
 */
export function composeDocuments(text: string, faults: YamlFault[], lexer: Lexer): Document.Parsed[] {
  const parser = new Parser();
  const quote = { start: 0 };
  const composer = composerInto(faults, quote);
  const documents: Document.Parsed[] = [];
  const add = (composed: Iterable<Document.Parsed>): void => {
    for (const document of composed) {
      documents.push(document);
      for (const { pos, code, message } of document.errors) report(faults, yamlFault(pos, code, message));
    }
  };
  const take = (tokens: Iterable<CST.Token>): void => {
    for (const token of tokens) {
      if (token.type === 'error') report(faults, errorFault(token));
      else add(composer.next(token));
      if (documents.length > MAX_DOCUMENTS) {
        report(faults, { code: 'T1004', ...spotOf(token), message: `more than ${MAX_DOCUMENTS} YAML documents` });
        throw ENOUGH;
      }
    }
  };
  try {
    for (const lexeme of lexer.lex(text)) {
      if (lexeme.startsWith('"') || lexeme.startsWith("'")) quote.start = parser.offset;
      take(parser.next(lexeme));
      if (parser.stack.length <= MAX_DEPTH) continue;
      const at = parser.offset;
      report(faults, { code: 'T1106', start: at, end: at, message: `nested more than ${MAX_DEPTH} levels deep` });
      throw ENOUGH;
    }
    take(parser.end());
    add(composer.end());
  } catch (error) {
    if (error !== ENOUGH) throw error;
  }
  return documents;
}

/**
 * A composer whose errors go to `faults` at once. The package would collect millions of them from a hostile text.
 *
 * @param quote where the last quoted text starts
 */
function composerInto(faults: YamlFault[], quote: { readonly start: number }): Composer {
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, prettyErrors: false });
  const onError = (source: ErrorSource, code: string, message: string, isWarning = false): void => {
    if (isWarning) return;
    // A quote that is not closed takes all that follows with it, so the last one is to blame.
    const unclosed = /^Missing closing .*quote$/.test(message);
    if (unclosed) report(faults, yamlFault(quote.start, 'UNCLOSED_QUOTE', 'missing closing quote'));
    else report(faults, yamlFault(source, code, message));
  };
  Object.assign(composer, { onError });
  return composer;
}

/** Adds a fault, and ends the reading when there are enough: throws {@link ENOUGH}. */
export function report(faults: YamlFault[], fault: YamlFault): void {
  // The package turns what is thrown inside it into one more fault.
  if (faults.length < MAX_FAULTS) faults.push(fault);
  if (faults.length >= MAX_FAULTS) throw ENOUGH;
}

/** What the composer blames: an offset, a range, or a token. */
type ErrorSource = number | readonly [number, number] | { readonly offset: number; readonly source?: unknown };

function spotOf(source: ErrorSource): { readonly start: number; readonly end: number } {
  if (typeof source === 'number') return { start: source, end: source + 1 };
  if (!('offset' in source)) return { start: source[0], end: source[1] };
  const { offset, source: text } = source;
  return { start: offset, end: offset + (typeof text === 'string' ? text.length : 1) };
}

function errorFault(token: CST.ErrorToken): YamlFault {
  return yamlFault(token, 'UNEXPECTED_TOKEN', `${token.message}: ${JSON.stringify(token.source.slice(0, 40))}`);
}

function yamlFault(source: ErrorSource, code: string, message: string): YamlFault {
  const text = message.replace(/\.$/, '');
  const lower = /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return { code: 'T1101', ...spotOf(source), message: lower, hint: YAML_HINTS[code] };
}

/** What usually is behind an error of the YAML reader, by its code. */
const YAML_HINTS: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'put quotes around a text that contains a colon and a space',
  UNEXPECTED_TOKEN: 'put quotes around a text that starts with a sign such as > | * & % @',
  BAD_INDENT: 'the keys of a mapping stand in one column',
  TAB_AS_INDENT: 'indent with spaces',
  UNCLOSED_QUOTE: 'if the text goes on in the next lines, indent them further than its key',
};
