import { readFileSync } from 'node:fs';
import path from 'node:path';
import { JsonReader } from '../src/model/json-reader.ts';

/** What the recordings are about; one file each. */
export const CATEGORIES = ['match', 'merge', 'check', 'context', 'event', 'realworld'] as const;
export type Category = (typeof CATEGORIES)[number];

/** A recorded case: `E` is the shape of its result, `M` what its category has beyond the rest (oracle/README.md). */
export type OracleCase<E, M = object> = M & {
  readonly id: string;
  readonly category: Category;
  readonly theme: string;
  /** Texts of the rules files in load order; null for a file that does not exist. */
  readonly rules: readonly (string | null)[];
  /** Bodies of the alerts, spelled as recorded: a number may have more digits than a double. */
  readonly bodies: readonly string[];
  readonly expected: E;
  readonly quirks?: readonly string[];
};

/** The cases of one file, in its order. */
export function oracleCases<E, M = object>(category: Category): OracleCase<E, M>[] {
  const file = path.join(import.meta.dirname, 'oracle', `${category}.jsonl`);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => ({ ...(JSON.parse(line) as OracleCase<E, M>), bodies: bodiesOf(line) }));
}

/** The member `event` or the items of `events`. An alert that is a text stands for that text. */
function bodiesOf(line: string): string[] {
  const reader = new JsonReader(line);
  const bodies: string[] = [];
  reader.expect('{');
  do {
    const key = reader.key();
    if (key === 'events') {
      reader.expect('[');
      do bodies.push(spelling(reader));
      while (reader.accept(','));
      reader.expect(']');
    } else {
      const value = spelling(reader);
      if (key === 'event') bodies.push(value);
    }
  } while (reader.accept(','));
  return bodies.map((body) => (body.startsWith('"') ? (JSON.parse(body) as string) : body));
}

function spelling(reader: JsonReader): string {
  reader.peek();
  const start = reader.index;
  reader.value(0);
  return reader.text.slice(start, reader.index);
}
