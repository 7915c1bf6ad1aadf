import { escapeUnprintable } from './log-line.ts';

/** Labels of one series. Empty ones are left out, which Prometheus takes as the same. */
export type Labels = Readonly<Record<string, string>>;

/** The counters by their short names, with the help texts that stand on the metrics page. */
export const COUNTERS = {
  events: 'number of received events',
  matches: 'number of matched events',
  actions: 'number of actions',
  notifications: 'number of notifications',
  outputs: 'number of outputs',
  notification_retries: 'number of tries of notifications that failed and were followed by another one',
  dropped_notifications: 'number of notifications that were given up because too many waited for their notifier',
  duplicate_events: 'number of events that repeat one taken within the deduplication window',
  failed_contexts: 'number of contexts that could not be fetched whole for an action',
  failed_checks: 'number of actions that were not run because the event lacks what they need',
  dry_runs: 'number of actions that only would have run',
  denied_actions: 'number of actions that a guard stopped',
  parked_actions: 'number of actions that wait for an operator because a guard could not decide or a budget is spent',
  monitored_actions: 'number of actions that a guard in monitor mode would have stopped',
  retries: 'number of tries of actions that failed and were followed by another one',
  resumed_plans: 'number of plans that went on after a restart or on the word of an operator',
  closed_plans: 'number of plans that ended otherwise than done',
  reloads: 'number of changes of rules and policies that were taken up or refused',
  breaker_openings: 'number of times that an API did not answer and actions began to wait for it',
  crashes: 'number of events whose handling failed by a fault of Talon',
  refused_requests: 'number of requests that were not taken as an event',
  journal_commits: 'number of transactions by which records were made durable',
  journal_records: 'number of records made durable: events, progress of plans, ends of plans',
  journal_commit_seconds: 'time of those transactions, from handing over to the answer',
  lost_log_lines: 'number of log lines that could not be written',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** One series: a set of labels and how often it was counted. */
export interface Series {
  readonly labels: Labels;
  value: number;
}

/** Series per counter. What comes after counts as one more, all of whose labels say so. */
export const SERIES_LIMIT = 2_000;
export const OVERFLOW = '__overflow__';

/** Longest label value, in UTF-16 units; longer ones are cut. */
const LABEL_LENGTH = 128;

type SeriesByKey = Map<string, Series>;

/**
 * Counts by name and labels. Whoever sends alerts chooses label values, so their number and length are bounded: memory
 * stays within some megabytes whatever comes in.
 */
export class Counters {
  readonly #series = new Map<CounterName, SeriesByKey>();
  readonly #events = this.#of('events');

  add(name: CounterName, labels: Labels, times = 1): void {
    let key = '';
    for (const label of Object.keys(labels)) {
      const value = shorten(labels[label] as string);
      if (value !== '') key += `${label}=${value.length},${value}`;
    }
    const series = this.#of(name);
    const known = series.get(key);
    if (known) known.value += times;
    else begin(series, key, labels, times);
  }

  /** The same as `add('events', ...)`, for the one counter that every alert pays for. */
  addEvent(rule: string, priority: string, source: string): void {
    const event = shorten(rule);
    const level = shorten(priority);
    const origin = shorten(source);
    const key = `${event.length},${level.length},${event}${level}${origin}`;
    const known = this.#events.get(key);
    if (known) known.value++;
    else begin(this.#events, key, { event: rule, priority, source }, 1);
  }

  /** All series of a counter, the one of the overflow among them. */
  series(name: CounterName): Iterable<Readonly<Series>> {
    return this.#of(name).values();
  }

  #of(name: CounterName): SeriesByKey {
    const known = this.#series.get(name);
    if (known) return known;
    const made: SeriesByKey = new Map();
    this.#series.set(name, made);
    return made;
  }
}

/** Counts one transaction of the journal. */
export function countCommit(counters: Counters, records: number, milliseconds: number): void {
  counters.add('journal_commits', {});
  counters.add('journal_records', {}, records);
  counters.add('journal_commit_seconds', {}, milliseconds / 1000);
}

function begin(series: SeriesByKey, key: string, labels: Labels, times: number): void {
  const overflow = series.get(OVERFLOW);
  if (overflow) overflow.value += times;
  else if (series.size < SERIES_LIMIT) series.set(key, { labels: shown(labels), value: times });
  else series.set(OVERFLOW, { labels: overflowing(shown(labels)), value: times });
}

/** Short, and without what a terminal could act on: the page is read in those, too. */
function shown(labels: Labels): Labels {
  const filled = Object.entries(labels).filter(([, value]) => value !== '');
  return Object.fromEntries(filled.map(([label, value]) => [label, escapeUnprintable(shorten(value))]));
}

function overflowing(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((label) => [label, OVERFLOW]));
}

/** Goes through bytes, because a slice of a text would keep the whole of it in memory. */
function shorten(value: string): string {
  return value.length <= LABEL_LENGTH ? value : Buffer.from(`${value.slice(0, LABEL_LENGTH - 1)}…`).toString();
}
