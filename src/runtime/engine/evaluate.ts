import { isUtf8 } from 'node:buffer';
import { repairUtf8 } from '../../model/repair-utf8.ts';
import type { PolicyRule } from '../../model/rule.ts';
import { type HeaderField, PolicyInstance, policyModule } from './policy-instance.ts';
import { warmUpAlerts } from './warm-up.ts';

export type { HeaderField };

/** Rules in their fastest form: alerts go in as bytes, indices of rules come out, and nothing is allocated on the way. */
export interface Evaluator {
  /** Revision of the bundle that the module was linked for. */
  readonly revision: string;
  /**
   * Evaluates one alert. The number of rules that match, or minus an EventErrorCode. What it found can be asked for until the
   * next scan.
   */
  scan(body: Uint8Array): number;
  /** Index of the n-th rule that matched, in the order in which they run; -1 if there is none. */
  matched(position: number): number;
  /** Where the error was noticed: a byte offset in the body, after the repair of its UTF-8. */
  readonly errorOffset: number;
  /** Where the text of a field begins and ends in the body, without its quotes and with its escapes; -1 if it has none. */
  start(field: HeaderField): number;
  end(field: HeaderField): number;
  /** Memory that the module holds, in bytes. */
  readonly memoryBytes: number;
}

/** Memory that a large body may leave behind, in bytes. Memory of a module cannot shrink, so beyond it a new one is made. */
const SPARE_MEMORY = 16 * 1024 * 1024;
/** Enough for the engine's compiler to see what is hot, and a fraction of a millisecond afterwards. */
const WARM_UP_SCANS = 400;

/**
 * Makes a policy module ready for alerts.
 *
 * @param module as `link` made it
 * @param rules the rules that it was made of
 * @throws TalonError `bundle` when the module is not one of ours, or not of these rules
 */
export function createEvaluator(module: WebAssembly.Module | Uint8Array, rules: readonly PolicyRule[]): Evaluator {
  const evaluator = new PolicyEvaluator(policyModule(module), rules);
  const alerts = warmUpAlerts(rules);
  for (let scan = 0; scan < WARM_UP_SCANS; scan++) {
    const alert = alerts[scan % alerts.length];
    if (alert) evaluator.scan(alert);
  }
  return evaluator;
}

class PolicyEvaluator implements Evaluator {
  readonly #module: WebAssembly.Module;
  readonly #rules: readonly PolicyRule[];
  #instance: PolicyInstance;
  readonly #mostMemory: number;
  /** The body of the last scan, and what was scanned in its place if it was no valid UTF-8. */
  #body: Uint8Array = new Uint8Array();
  #repaired: Uint8Array | undefined;

  constructor(module: WebAssembly.Module, rules: readonly PolicyRule[]) {
    this.#module = module;
    this.#rules = rules;
    this.#instance = new PolicyInstance(module, rules);
    this.#mostMemory = this.#instance.memoryBytes + SPARE_MEMORY;
  }

  get revision(): string {
    return this.#instance.revision;
  }

  scan(body: Uint8Array): number {
    if (this.#instance.memoryBytes > this.#mostMemory) this.#instance = new PolicyInstance(this.#module, this.#rules);
    this.#body = body;
    this.#repaired = undefined;
    const count = this.#instance.evaluate(body);
    if (!this.#instance.beyondAscii || isUtf8(body)) return count;
    this.#repaired = repairUtf8(body);
    return this.#instance.evaluate(this.#repaired);
  }

  matched(position: number): number {
    return this.#instance.matched(position);
  }

  get errorOffset(): number {
    return this.#instance.errorOffset;
  }

  start(field: HeaderField): number {
    return this.#inBody(this.#instance.start(field));
  }

  end(field: HeaderField): number {
    return this.#inBody(this.#instance.end(field));
  }

  get memoryBytes(): number {
    return this.#instance.memoryBytes;
  }

  #inBody(offset: number): number {
    return this.#repaired && offset > 0 ? offsetBeforeRepair(this.#body, this.#repaired, offset) : offset;
  }
}

/** Where in a body the byte stands that is at this offset of its repaired form, which has U+FFFD for each invalid byte. */
function offsetBeforeRepair(body: Uint8Array, repaired: Uint8Array, offset: number): number {
  let at = 0;
  for (let repairedAt = 0; repairedAt < offset; at++) {
    repairedAt += isReplacement(repaired, repairedAt) && !isReplacement(body, at) ? 3 : 1;
  }
  return at;
}

/** Whether U+FFFD stands here. */
function isReplacement(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd;
}
