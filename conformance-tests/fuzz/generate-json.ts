import type { Random } from './random.ts';
import { KEYS, MALFORMED_NUMBERS, NUMBERS, TEXTS } from './words.ts';

/** Texts of JSON values in every spelling: white space, escapes that nobody needs, numbers of any form. */
export class JsonGenerator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A value of any kind, nested at most four levels. */
  value(depth = 0): string {
    const random = this.#random;
    const kind = random.below(depth > 3 ? 5 : 8);
    if (kind === 0) return random.pick(['true', 'false', 'null']);
    if (kind === 1) return this.number();
    if (kind < 5) return this.string(random.pick(TEXTS));
    if (kind === 5) return this.list(() => this.value(depth + 1), 4);
    return this.object(
      () => random.pick(KEYS),
      3,
      () => this.value(depth + 1),
    );
  }

  list(item: () => string, most: number): string {
    const items = this.#random.many(() => `${item()}${this.space()}`, 0, most);
    return `[${this.space()}${items.join(`,${this.space()}`)}]`;
  }

  object(key: () => string, most: number, value: () => string): string {
    const members = this.#random.many(
      () => `${this.string(key())}${this.space()}:${this.space()}${value()}${this.space()}`,
      0,
      most,
    );
    return `{${this.space()}${members.join(`,${this.space()}`)}}`;
  }

  /** A number; now and then one that JSON does not know. */
  number(): string {
    const random = this.#random;
    if (random.chance(0.003)) return random.pick(MALFORMED_NUMBERS);
    if (random.chance(0.6)) return random.pick(NUMBERS);
    if (random.chance(0.5)) return String(random.below(100_000));
    if (random.chance(0.3)) return randomDouble(random);
    const digits = (most: number) => random.many(() => random.below(10), 1, most).join('');
    const sign = random.chance(0.5) ? '-' : '';
    const whole = digits(40).replace(/^0+(?=\d)/, '');
    const fraction = random.chance(0.5) ? `.${digits(40)}` : '';
    const exponent = random.chance(0.5)
      ? `${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${random.below(330)}`
      : '';
    return `${sign}${whole}${fraction}${exponent}`;
  }

  /** A JSON string; every fourth has escapes that nobody needs. */
  string(text: string): string {
    const random = this.#random;
    if (random.chance(0.75)) return JSON.stringify(text);
    const units = text.split('').map((unit) => {
      const bare = unit >= ' ' && unit !== '"' && unit !== '\\';
      return bare && random.chance(0.8) ? unit : this.#escaped(unit);
    });
    return wellFormed(`"${units.join('')}"`);
  }

  #escaped(unit: string): string {
    const short = new Map([...'"\\/', ...'\b\f\n\r\t'].map((plain, index) => [plain, '"\\/bfnrt'.charAt(index)]));
    const letter = short.get(unit);
    if (letter && this.#random.chance(0.5)) return `\\${letter}`;
    const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${this.#random.chance(0.5) ? hex : hex.toUpperCase()}`;
  }

  space(): string {
    return this.#random.chance(0.9)
      ? ''
      : this.#random.many(() => this.#random.pick([' ', '\n', '\t', '\r']), 1, 5).join('');
  }
}

/** Half of a pair that lost its other half to an escape is escaped too: UTF-8 has no lone surrogates. */
function wellFormed(text: string): string {
  return text.replace(
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`,
  );
}

function randomDouble(random: Random): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, random.below(2 ** 32));
  view.setUint32(4, random.below(2 ** 32));
  const double = view.getFloat64(0);
  return Number.isFinite(double) ? String(double) : '1';
}
