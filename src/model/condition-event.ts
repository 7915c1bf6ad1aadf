import type { FalcoEvent } from './falco-event.ts';
import { JsonNumber, type JsonObject, type JsonValue } from './json-value.ts';
import { isInteger } from './text-form.ts';

/** A value as CEL knows it: int is a bigint, double a number. */
export type CelValue = string | boolean | null | bigint | number | CelValue[] | Map<string, CelValue>;

/** Levels of lists and objects that a condition sees; what lies deeper is null to it. */
const VISIBLE_DEPTH = 100;
const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

/**
 * The variable `event` of a condition. Its members are those of the alert; an absent list or map is empty. A number is an
 * int when it is spelled as an integer of at most 64 bits, otherwise a double (beyond the doubles an infinity).
 */
export class ConditionEvent {
  readonly #event: FalcoEvent;
  #tags: CelValue[] | undefined;
  #fields: Map<string, CelValue> | undefined;

  constructor(event: FalcoEvent) {
    this.#event = event;
  }

  get rule(): string {
    return this.#event.rule;
  }
  get priority(): string {
    return this.#event.priority;
  }
  get source(): string {
    return this.#event.source;
  }
  get hostname(): string {
    return this.#event.hostname;
  }
  get output(): string {
    return this.#event.output;
  }
  get time(): string {
    return this.#event.time;
  }
  get tags(): CelValue[] {
    this.#tags ??= (this.#event.tags ?? []).map((tag) => celValue(tag, 1));
    return this.#tags;
  }
  get output_fields(): Map<string, CelValue> {
    this.#fields ??= celMap(this.#event.output_fields ?? new Map(), 1);
    return this.#fields;
  }
}

/** Members of `event` with their CEL types. */
export const EVENT_MEMBERS = {
  rule: 'string',
  priority: 'string',
  source: 'string',
  hostname: 'string',
  output: 'string',
  time: 'string',
  tags: 'list<dyn>',
  output_fields: 'map<string, dyn>',
} as const satisfies Record<keyof FalcoEvent, string>;

function celValue(value: JsonValue, depth: number): CelValue {
  if (value instanceof JsonNumber) return celNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > VISIBLE_DEPTH) return null;
  if (value instanceof Map) return celMap(value, depth + 1);
  return (value as readonly JsonValue[]).map((item) => celValue(item, depth + 1));
}

function celMap(value: JsonObject, depth: number): Map<string, CelValue> {
  return new Map([...value].map(([key, item]) => [key, celValue(item, depth)]));
}

/** The CEL number of a number in an alert: bigint for int, number for double. */
export function celNumber(number: JsonNumber): bigint | number {
  if (isInteger(number) && number.text.length <= 20) {
    const int = BigInt(number.text);
    if (int >= INT_MIN && int <= INT_MAX) return int;
  }
  return Number(number.text);
}
