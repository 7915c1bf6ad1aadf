import { isUtf8 } from 'node:buffer';
import { stripOutputPrefix } from '../model/output-prefix.ts';
import { repairUtf8 } from '../model/repair-utf8.ts';
import type { PlannedRule } from '../model/rule.ts';
import type { AlertHead, Telemetry } from '../model/transition.ts';
import type { Pipeline } from './pipeline.ts';
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

export interface IntakeOptions {
  readonly scanner: AlertScanner;
  /** The rules by the index that the scanner gives. */
  readonly rules: readonly PlannedRule[];
  readonly pipeline: Pick<Pipeline, 'admit'>;
  readonly telemetry: Telemetry;
  /** Whether every accepted alert is logged, duplicates included. */
  readonly printAllEvents: boolean;
}

/** The answer to a request, as its status code: taken, not an alert, no room. */
export type IntakeAnswer = 200 | 400 | 503;

/**
 * The way of an alert from its bytes to the answer. Almost all alerts match nothing, so theirs is the short way: evaluate,
 * count, perhaps log. Nothing is parsed there, nothing waits, and no more is copied than what is counted.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #newTraceId = createTraceIds();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** @param traceparent the header of that name (W3C Trace Context) */
  receive(bytes: Buffer, traceparent: string | string[] | undefined): IntakeAnswer {
    const { scanner, telemetry, printAllEvents } = this.#options;
    const body = isUtf8(bytes) ? bytes : Buffer.from(repairUtf8(bytes));
    const matches = scanner.scan(body);
    if (matches < 0) {
      telemetry.emit({ kind: 'refused', reason: 'body' });
      return 400;
    }
    const rule = this.#text(body, 'rule');
    const priority = this.#text(body, 'priority');
    const source = this.#text(body, 'source') || 'syscall';
    if (matches === 0 && !printAllEvents) {
      telemetry.accepted(rule, priority, source);
      return 200;
    }
    const output = stripOutputPrefix(this.#text(body, 'output'));
    const head = { rule, priority, source, output, trace_id: traceIdOf(traceparent) ?? this.#newTraceId() };
    return this.#take(head, body, matches);
  }

  #take(head: AlertHead, body: Buffer, matches: number): IntakeAnswer {
    const { telemetry, printAllEvents } = this.#options;
    if (matches > 0) {
      const admission = this.#options.pipeline.admit({ head, body, rules: this.#matched(matches) });
      if (admission === 'unreadable') return 400;
      if (admission === 'full') {
        telemetry.emit({ kind: 'refused', reason: 'full' });
        return 503;
      }
    }
    telemetry.accepted(head.rule, head.priority, head.source);
    if (printAllEvents) telemetry.emit({ kind: 'event', alert: head });
    return 200;
  }

  #matched(count: number): readonly PlannedRule[] {
    const { scanner, rules } = this.#options;
    return Array.from({ length: count }, (_, position) => rules[scanner.matched(position)] as PlannedRule);
  }

  /** The text of a field; escapes are decoded only where there are some. */
  #text(body: Buffer, field: HeaderField): string {
    const { scanner } = this.#options;
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
