import { decodeEvent } from '../../model/decode-event.ts';
import type { EventErrorCode, FalcoEvent } from '../../model/falco-event.ts';
import type { PolicyRule } from '../../model/rule.ts';
import { TalonError } from '../../model/talon-error.ts';
import { type HostCondition, hostConditions } from './condition-builtins.ts';

/** Texts of an alert whose places a scan tells. */
export type HeaderField = 'rule' | 'priority' | 'source' | 'output';

/** The door of the module that this program knows (src/compiler/core/assembly/direct.ts). */
const KNOWN_VERSION = 1;
const PAGE = 65_536;
const FIRST_PAGES = 5;
const OUT_OF_MEMORY: EventErrorCode = 4;

/** Places of the pairs {start, end} in the module's list. */
const PLACES: Readonly<Record<HeaderField, number>> = { rule: 0, priority: 2, source: 4, output: 6 };

const BEYOND_ASCII = 8;

/** What the module exports and this file calls. Addresses and lengths are bytes. */
interface PolicyExports {
  readonly talon_version: WebAssembly.Global;
  readonly talon_evaluate: (input: number, length: number) => number;
  readonly talon_matched: () => number;
  readonly talon_places: () => number;
  readonly talon_error_offset: () => number;
  readonly talon_revision: () => number;
  readonly talon_rule_count: () => number;
  readonly opa_heap_ptr_get: () => number;
  readonly opa_malloc: (size: number) => number;
  readonly opa_json_parse: (text: number, length: number) => number;
}

const FUNCTIONS = [
  'talon_evaluate',
  'talon_matched',
  'talon_places',
  'talon_error_offset',
  'talon_revision',
  'talon_rule_count',
  'opa_heap_ptr_get',
  'opa_malloc',
  'opa_json_parse',
] as const satisfies readonly (keyof PolicyExports)[];

/**
 * Compiles the bytes of a policy module.
 *
 * @throws TalonError `bundle` when they are none
 */
export function policyModule(module: WebAssembly.Module | Uint8Array): WebAssembly.Module {
  if (module instanceof WebAssembly.Module) return module;
  try {
    return new WebAssembly.Module(module);
  } catch (error) {
    throw new TalonError('bundle', 'the policy module is no valid WebAssembly', { cause: error });
  }
}

/** One policy module with its own memory. Not re-entrant; what it found stays until the next evaluation. */
export class PolicyInstance {
  readonly revision: string;
  readonly #memory = new WebAssembly.Memory({ initial: FIRST_PAGES });
  readonly #exports: PolicyExports;
  /** Kept apart, because the object of exports is slow to look into. */
  readonly #evaluate: PolicyExports['talon_evaluate'];
  /** Where alerts are put. */
  readonly #input: number;
  /** Addresses divided by 4, for the view of words. */
  readonly #matched: number;
  readonly #places: number;
  readonly #conditions: ReadonlyMap<number, HostCondition>;
  /** Values of the module, for answers to it. */
  readonly #true: number;
  readonly #false: number;
  #bytes: Uint8Array;
  #words: Int32Array;
  /** The alert in hand, decoded when a condition asks for it. */
  #alert: Uint8Array = new Uint8Array();
  #event: FalcoEvent | undefined;
  #hasRoom = true;

  /** @throws TalonError `bundle` when the module is not one of ours, or not of these rules */
  constructor(module: WebAssembly.Module, rules: readonly PolicyRule[]) {
    this.#conditions = hostConditions(rules);
    const opa_builtin1 = (number: number) => (this.#conditionHolds(number) ? this.#true : this.#false);
    this.#exports = instantiate(module, { memory: this.#memory, opa_builtin1 });
    this.#evaluate = this.#exports.talon_evaluate;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
    const count = this.#exports.talon_rule_count();
    if (count !== rules.length) {
      throw new TalonError('bundle', `the policy module has ${count} rules, the bundle ${rules.length}`);
    }
    this.#true = this.#value('true');
    this.#false = this.#value('false');
    this.#input = (this.#exports.opa_heap_ptr_get() + 15) & ~15;
    this.#matched = this.#exports.talon_matched() >> 2;
    this.#places = this.#exports.talon_places() >> 2;
    this.revision = this.#readBox(this.#exports.talon_revision());
  }

  /** A value of the module, below where alerts are put. */
  #value(json: string): number {
    const at = this.#exports.opa_malloc(json.length);
    if (this.#bytes.length === 0) this.#view();
    new TextEncoder().encodeInto(json, this.#bytes.subarray(at));
    return this.#exports.opa_json_parse(at, json.length);
  }

  /** The host builtin of a condition. It takes the alert from here, and leaves aside what the module wrote for other hosts. */
  #conditionHolds(number: number): boolean {
    if (this.#event === undefined) {
      const decoded = decodeEvent(this.#alert);
      if (!decoded.ok) return false;
      this.#event = decoded.event;
    }
    return this.#conditions.get(number)?.(this.#event) ?? false;
  }

  /** JSON text {pointer, length} as the string that it stands for. */
  #readBox(box: number): string {
    const at = this.#words[box >> 2] ?? 0;
    const length = this.#words[(box >> 2) + 1] ?? 0;
    return JSON.parse(new TextDecoder().decode(this.#bytes.subarray(at, at + length)));
  }

  /** Number of rules that match the alert, or minus the error code. */
  evaluate(alert: Uint8Array): number {
    this.#hasRoom = this.#input + alert.length <= this.#bytes.length || this.#growBy(alert.length);
    if (!this.#hasRoom) return -OUT_OF_MEMORY;
    this.#bytes.set(alert, this.#input);
    this.#alert = alert;
    this.#event = undefined;
    const count = this.#evaluate(this.#input, alert.length);
    // The module may have grown its memory, which detaches views of the old one.
    if (this.#bytes.length === 0) this.#view();
    return count;
  }

  #growBy(bytes: number): boolean {
    try {
      this.#memory.grow(Math.ceil(bytes / PAGE));
    } catch {
      return false;
    }
    this.#view();
    return true;
  }

  #view(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
  }

  matched(position: number): number {
    return this.#words[this.#matched + position] ?? -1;
  }

  start(field: HeaderField): number {
    return this.#words[this.#places + PLACES[field]] ?? -1;
  }

  end(field: HeaderField): number {
    return this.#words[this.#places + PLACES[field] + 1] ?? -1;
  }

  /** Whether the last alert has bytes beyond ASCII. False only if it has none. */
  get beyondAscii(): boolean {
    return this.#words[this.#places + BEYOND_ASCII] !== 0;
  }

  get errorOffset(): number {
    return this.#hasRoom ? this.#exports.talon_error_offset() : 0;
  }

  get memoryBytes(): number {
    return this.#bytes.length;
  }
}

function instantiate(module: WebAssembly.Module, env: Readonly<Record<string, unknown>>): PolicyExports {
  const exports = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  const ours = exports.get('talon_version') === 'global' && FUNCTIONS.every((name) => exports.get(name) === 'function');
  if (!ours) throw new TalonError('bundle', 'the policy module was not made by talon');
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(module, { env });
  } catch (error) {
    throw new TalonError('bundle', 'the policy module does not start', { cause: error });
  }
  const policy = instance.exports as unknown as PolicyExports;
  const version: unknown = policy.talon_version.value;
  if (version === KNOWN_VERSION) return policy;
  throw new TalonError('bundle', `the policy module is of version ${version}, this program reads ${KNOWN_VERSION}`);
}
