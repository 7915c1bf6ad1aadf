import { isUtf8 } from 'node:buffer';
import { stripOutputPrefix } from '../model/output-prefix.ts';
import { repairUtf8 } from '../model/repair-utf8.ts';
import type { AlertHead, Refusal, Telemetry } from '../model/transition.ts';
import type { Admission, Pipeline } from './pipeline.ts';
import type { Policy } from './policy.ts';
import { createTraceIds, traceIdOf } from './trace-id.ts';

type HeaderField = 'rule' | 'priority' | 'source' | 'output';

/** The part of the policy engine that intake needs. Results are valid until the next scan. */
export interface AlertScanner {
  /** Number of matched rules, or below zero when the body is no alert. */
  scan(body: Uint8Array): number;
  /** Index of the n-th matched rule. */
  matched(position: number): number;
  /** Where the text of a field begins and ends in the body, between its quotes; -1 when it is absent. */
  start(field: HeaderField): number;
  end(field: HeaderField): number;
}

/** The rules by which alerts are judged, and what is run for those that match. They come from one bundle. */
export interface ActivePolicy {
  readonly scanner: AlertScanner;
  readonly policy: Policy;
}

export interface IntakeOptions {
  readonly active: ActivePolicy;
  readonly pipeline: Pick<Pipeline, 'admit'>;
  readonly telemetry: Telemetry;
  /** Whether every accepted alert is logged, duplicates included. */
  readonly printAllEvents: boolean;
}

/**
 * Takes the answer to a request: 200 taken, and on disk if it has to be; 400 not an alert; 503 no room, or not stored. With
 * a reason where it is refused.
 */
export type Answer = (status: 200 | 400 | 503, refusal?: Refusal) => void;

/** What an admission means for the sender; undefined: the alert was taken. */
const REFUSALS: { readonly [A in Admission]: readonly [400 | 503, Refusal] | undefined } = {
  accepted: undefined,
  duplicate: undefined,
  unreadable: [400, 'body'],
  full: [503, 'full'],
  not_stored: [503, 'not_stored'],
};

/**
 * The way of an alert from its bytes to the answer. Almost all alerts match nothing, so theirs is the short way: evaluate,
 * count, perhaps log, and answer before `receive` returns. Nothing is parsed there, nothing waits, and no more is copied than
 * what is counted.
 */
export class Intake {
  readonly #options: Omit<IntakeOptions, 'active'>;
  readonly #newTraceId = createTraceIds();
  #active: ActivePolicy;

  constructor({ active, ...options }: IntakeOptions) {
    this.#options = options;
    this.#active = active;
  }

  /** Judges alerts by other rules from now on. */
  use(active: ActivePolicy): void {
    this.#active = active;
  }

  /**
   * @param traceparent the header of that name (W3C Trace Context)
   * @param answer called once; for an alert that matches nothing before this returns
   */
  receive(bytes: Buffer, traceparent: string | string[] | undefined, answer: Answer): void {
    const { telemetry, printAllEvents } = this.#options;
    const { scanner } = this.#active;
    const body = isUtf8(bytes) ? bytes : Buffer.from(repairUtf8(bytes));
    const matches = scanner.scan(body);
    if (matches < 0) {
      telemetry.emit({ kind: 'refused', reason: 'body' });
      answer(400, 'body');
      return;
    }
    const rule = this.#text(body, 'rule');
    const priority = this.#text(body, 'priority');
    const source = this.#text(body, 'source') || 'syscall';
    if (matches === 0 && !printAllEvents) {
      telemetry.accepted(rule, priority, source);
      answer(200);
      return;
    }
    const output = stripOutputPrefix(this.#text(body, 'output'));
    const head = { rule, priority, source, output, trace_id: traceIdOf(traceparent) ?? this.#newTraceId() };
    if (matches === 0) this.#answer(head, 'accepted', answer);
    else this.#admit(head, body, matches, answer);
  }

  #admit(head: AlertHead, body: Buffer, matches: number, answer: Answer): void {
    const { scanner, policy } = this.#active;
    const rules = Array.from({ length: matches }, (_, position) => scanner.matched(position));
    this.#options.pipeline.admit({ head, body, policy, rules }, (admission) => this.#answer(head, admission, answer));
  }

  #answer(head: AlertHead, admission: Admission, answer: Answer): void {
    const { telemetry, printAllEvents } = this.#options;
    const refusal = REFUSALS[admission];
    if (refusal) {
      telemetry.emit({ kind: 'refused', reason: refusal[1] });
      answer(...refusal);
      return;
    }
    telemetry.accepted(head.rule, head.priority, head.source);
    if (printAllEvents) telemetry.emit({ kind: 'event', alert: head });
    answer(200);
  }

  /** The text of a field; escapes are decoded only where there are some. */
  #text(body: Buffer, field: HeaderField): string {
    const { scanner } = this.#active;
    const start = scanner.start(field);
    if (start < 0) return '';
    const text = body.toString('utf8', start, scanner.end(field));
    return text.includes('\\') ? decodeEscapes(text) : text;
  }
}

/** Decodes a JSON text that the scanner has found valid. Half a surrogate pair becomes U+FFFD, as in `decodeEvent`. */
function decodeEscapes(text: string): string {
  return (JSON.parse(`"${text}"`) as string).replace(/\p{Surrogate}/gu, '\ufffd');
}
