import type { Diagnostic, Place } from '../model/diagnostic.ts';
import { ERRORS, type ErrorId } from './errors.ts';
import { columnsOf } from './text-columns.ts';

export type DiagnosticFormat = 'text' | 'json' | 'github';

export interface RenderOptions {
  /** Colours for a terminal, in the format `text`. */
  readonly color?: boolean | undefined;
}

/** What drawing needs of a source file. */
export interface SourceLines {
  readonly path: string;
  /** Lines count from 1. */
  line(number: number): string;
}

/**
 * Diagnostics for people (`text`: with the source line and a caret), for programs (`json`: one array) or for the
 * annotations of a GitHub workflow (`github`). Ends with a line end unless it is empty.
 */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: readonly SourceLines[],
  format: DiagnosticFormat,
  { color = false }: RenderOptions = {},
): string {
  if (format === 'json') return `${JSON.stringify(diagnostics.map(withoutRecord), null, 2)}\n`;
  const lines = new Map(sources.map((source) => [source.path, source]));
  const blocks = diagnostics.map((diagnostic) =>
    format === 'github' ? workflowCommand(diagnostic) : draw(diagnostic, lines, color ? COLORS : NO_COLORS),
  );
  return blocks.join('');
}

/** The record is for log lines; the file of errors has the title. */
function withoutRecord({ record: _, ...diagnostic }: Diagnostic): Omit<Diagnostic, 'record'> {
  return diagnostic;
}

interface Palette {
  readonly place: (text: string) => string;
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly hint: (text: string) => string;
}

const plain = (text: string): string => text;
const style =
  (code: number) =>
  (text: string): string =>
    `\x1b[${code}m${text}\x1b[0m`;
const NO_COLORS: Palette = { place: plain, error: plain, warning: plain, hint: plain };
const COLORS: Palette = { place: style(1), error: style(31), warning: style(33), hint: style(36) };

/** Columns of a source line that are shown; longer ones are cut around the caret. */
const WIDTH = 100;

function draw(diagnostic: Diagnostic, sources: ReadonlyMap<string, SourceLines>, palette: Palette): string {
  const { severity, code, message, place, hint } = diagnostic;
  const head = place ? palette.place(`${visible(place.file)}:${place.line}:${place.column}: `) : '';
  const lines = [`${head}${palette[severity](`${severity} ${code}`)}: ${visible(message)}`];
  const source = place && sources.get(place.file);
  if (place && source) lines.push(...drawLine(source.line(place.line), place, palette[severity]));
  if (hint !== undefined) lines.push(`  = ${palette.hint('hint')}: ${visible(hint)}`);
  return `${lines.join('\n')}\n`;
}

function drawLine(line: string, place: Place, paint: (text: string) => string): string[] {
  const caret = place.column - 1;
  const from = line.length > WIDTH ? Math.max(0, Math.min(caret - WIDTH / 2, line.length - WIDTH)) : 0;
  const [before = '', meant = '', after = ''] = [
    line.slice(wholeFrom(line, from), caret),
    line.slice(caret, Math.min(caret + place.length, wholeFrom(line, from + WIDTH))),
    line.slice(caret + place.length, wholeFrom(line, from + WIDTH)),
  ].map(inLine);
  if ((before + meant + after).trim() === '') return [];
  // A tab before the caret stays a tab, so that the caret stands below what it means whatever the tab width is.
  const indent = before.replace(/[^\t]+/g, (text) => ' '.repeat(columnsOf(text)));
  const carets = '^'.repeat(Math.max(1, columnsOf(meant)));
  return [`  | ${before}${meant}${after}`, `  | ${indent}${paint(carets)}`];
}

/** An offset that does not stand within a pair of surrogates. */
function wholeFrom(line: string, offset: number): number {
  return /[\udc00-\udfff]/.test(line.charAt(offset)) ? offset + 1 : offset;
}

/** Rules may come from anywhere: no control character of theirs reaches the terminal. */
function visible(text: string): string {
  return inLine(text).replaceAll('\t', '\\t');
}

/** The same for a source line, whose tabs stay. */
function inLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** See "workflow commands for GitHub Actions": property values escape more than the message. */
function workflowCommand({ severity, code, message, place, hint }: Diagnostic): string {
  const title = `${code}: ${ERRORS[code as ErrorId]?.title ?? severity}`;
  const properties: [string, string | number | undefined][] = [
    ['file', place?.file],
    ['line', place?.line],
    ['col', place?.column],
    ['endColumn', place && place.length > 0 ? place.column + place.length : undefined],
    ['title', title],
  ];
  const given = properties.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${property(value)}`]));
  const text = hint === undefined ? message : `${message}\n${hint}`;
  return `::${severity} ${given.join(',')}::${data(text)}\n`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(value: string | number): string {
  return data(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
