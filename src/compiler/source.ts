import type { Place } from '../model/diagnostic.ts';

/** The text of one rules file. Lines are counted only when a diagnostic needs a place. */
export class Source {
  readonly path: string;
  readonly text: string;
  #lineStarts: readonly number[] | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  /** Where a span of the text is. A span over several lines ends, for the place, with its first line. */
  place(start: number, end: number): Place {
    this.#lineStarts ??= lineStarts(this.text);
    const line = lastNotAbove(this.#lineStarts, start);
    const lineStart = this.#lineStarts[line] ?? 0;
    const lineEnd = lineStart + this.line(line + 1).length;
    const length = Math.max(0, Math.min(end, lineEnd) - start);
    return { file: this.path, line: line + 1, column: start - lineStart + 1, length };
  }

  /** The text of a line, without its end. Lines count from 1. */
  line(number: number): string {
    this.#lineStarts ??= lineStarts(this.text);
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    const end = this.#lineStarts[number] ?? this.text.length;
    return this.text.slice(start, end).replace(/\r?\n$/, '');
  }
}

/** A part of a source text: from `start` up to but not including `end`, in UTF-16 units. */
export interface Spot {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** The place of a spot, as diagnostics show it. */
export function placeOf({ source, start, end }: Spot): Place {
  return source.place(start, end);
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The index of the last number that is not above `wanted`; the numbers ascend from 0. */
function lastNotAbove(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((numbers[middle] ?? 0) <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
