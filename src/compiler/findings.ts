import type { Diagnostic, Place, RulesRecord } from '../model/diagnostic.ts';
import { ERRORS, type ErrorId } from './errors.ts';
import { placeOf, type Spot } from './source.ts';
import { didYouMean, suggest } from './suggest.ts';

/** Words that are compared for hints. A file may have any number of unknown ones. */
const MAX_COMPARED = 500_000;

/** What may accompany a message. */
export interface Details {
  readonly hint?: string | undefined;
  /** The line that Falco Talon prints; kept only as long as Falco Talon itself would have got that far. */
  readonly record?: RulesRecord;
}

/**
 * Collects what the phases find. The order of adding is that of Falco Talon's own lines; the diagnostics come out in the
 * order of the files and lines.
 */
export class Findings {
  readonly #found: Diagnostic[] = [];
  readonly #records: RulesRecord[] = [];
  readonly #files = new Map<string, number>();
  #failed = false;
  #complete = true;
  #recording = true;
  #compared = 0;

  /** Whether an error was found so far. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether all files could be read, so that what is missing is not in a part that was lost. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The lines that Falco Talon would print, in its order. */
  get records(): readonly RulesRecord[] {
    return this.#records;
  }

  /** Adds a finding. The severity is that of the code. */
  add(code: ErrorId, spot: Spot | undefined, message: string, { hint, record }: Details = {}): void {
    const { severity, stage } = ERRORS[code];
    const place = spot && placeOf(spot);
    const stops = severity === 'error' && (stage === 'file' || stage === 'syntax');
    const line = record ?? (stops && place ? syntaxRecord(place, message) : undefined);
    const kept = line && this.record(line) ? line : undefined;
    if (severity === 'error') this.#failed = true;
    // Falco Talon gives up at the first file that it cannot read.
    if (stops) this.#complete = this.#recording = false;
    this.#found.push({
      code,
      severity,
      message,
      ...(place && { place }),
      ...(hint !== undefined && { hint }),
      ...(kept && { record: kept }),
    });
  }

  /** Adds a line that Falco Talon prints beside that of the finding before. Returns whether it gets that far. */
  record(record: RulesRecord): boolean {
    if (this.#recording) this.#records.push(record);
    return this.#recording;
  }

  /** The candidate that may have been meant, as long as looking for it does not take too long in all. */
  suggest(word: string, candidates: readonly string[]): string | undefined {
    return this.#mayCompare(candidates) ? suggest(word, candidates) : undefined;
  }

  /** A hint with the candidate that may have been meant. */
  didYouMean(word: string, candidates: readonly string[]): string | undefined {
    return this.#mayCompare(candidates) ? didYouMean(word, candidates) : undefined;
  }

  #mayCompare(candidates: readonly string[]): boolean {
    this.#compared += candidates.length;
    return this.#compared <= MAX_COMPARED;
  }

  /** Notes the order of the files, which is that of the sorted diagnostics. Returns whether the file is a new one. */
  seeFile(path: string): boolean {
    const isNew = !this.#files.has(path);
    if (isNew) this.#files.set(path, this.#files.size);
    return isNew;
  }

  /** Falco Talon stops here if something is wrong: what is found from now on, it does not print. */
  endStage(): void {
    if (this.failed) this.#recording = false;
  }

  /** All diagnostics: those without a place first, then by file, line, column; equal ones in the order of adding. */
  sorted(): Diagnostic[] {
    const rank = ({ place }: Diagnostic): number => (place ? (this.#files.get(place.file) ?? 0) : -1);
    return this.#found.toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
  }
}

function syntaxRecord({ file, line }: Place, message: string): RulesRecord {
  return { error: `wrong syntax for the rule file '${file}': yaml: line ${line}: ${message}` };
}
