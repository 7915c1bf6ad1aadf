import type { Random } from './random.ts';
import { KEYS, NAMES, NUMBERS, PRIORITIES, SOURCES, TAGS, TEXTS } from './words.ts';

const TIMES = [
  ...[
    '2024-01-01T00:00:00.000000000Z',
    '2024-02-29T23:59:59Z',
    '2024-01-01T8:00:01,25+02:00',
    '2024-01-01T00:00:00-24:60',
  ],
  ...[
    '2023-02-29T00:00:00Z',
    '2024-01-01t00:00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00',
    '2024-01-01T24:00:00Z',
  ],
  ...[
    '2024-13-01T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '2024-01-01T00:00:00+25:00',
  ],
  ...[
    '2024-01-01T00:00:00+00:61',
    '2024-01-01T00:00:00.Z',
    '2024-1-01T00:00:00Z',
    '',
    '0000-01-01T00:00:00Z',
    '2024-01-01T00:00:00z',
  ],
  ...[
    '2024-01-01T00:00:00+0000',
    '2024-01-01T00:00:00+00:00x',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01 00:00:00Z',
    'yesterday',
  ],
];
const OUTPUTS = [
  '12:00:00.000000000: Critical A shell was spawned "now"\n(user=root)',
  '2024-01-01T12:00:00.000000000+0000: Informational x',
  '12:00:00.000000000: Alerting',
  '  two spaces',
  '',
  'é🚀',
];
const MALFORMED_NUMBERS = [
  '01',
  '-01',
  '00',
  '1.',
  '.5',
  '-',
  '1e',
  '1e+',
  '+1',
  '1.e1',
  '-.1',
  '0x1',
  '1_0',
  'NaN',
  'Infinity',
];
const LONE_SURROGATES = [
  '\\ud83d',
  '\\ude80',
  '\\ud83d\\u0041',
  '\\ud83dx',
  '\\ud83d\\ud83d\\ude80',
  '\\uD83D\\n',
  '\\ud83d\\uffff',
  '\\ud83d\\udbff',
];

/**
 * The text of an alert, well-formed as JSON: any order and white space, escapes where none is needed, lone surrogates, keys
 * in any case, duplicates, values of every type. A part of them has fields of a wrong type.
 */
export class AlertGenerator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  alert(): string {
    const random = this.#random;
    const members: string[] = [];
    const add = (key: string, value: string) =>
      members.push(`${this.#key(key)}${this.space()}:${this.space()}${value}${this.space()}`);
    if (random.chance(0.3)) add('uuid', random.chance(0.9) ? this.string('123e4567-e89b-12d3') : this.value());
    if (random.chance(0.8)) add('output', this.#textMember(OUTPUTS));
    if (random.chance(0.95)) add('priority', this.#textMember(this.#priorities()));
    if (random.chance(0.95)) add('rule', this.#textMember(NAMES));
    if (random.chance(0.7)) add('time', this.#time());
    if (random.chance(0.7)) add('source', this.#textMember([...SOURCES, '']));
    if (random.chance(0.9))
      add(
        'output_fields',
        this.#nullOr(() => this.#fields()),
      );
    if (random.chance(0.5)) add('hostname', this.#textMember(['node-1', '']));
    if (random.chance(0.8))
      add(
        'tags',
        this.#nullOr(() => this.#tags()),
      );
    if (random.chance(0.1)) add('extra', this.value());
    this.#duplicates(add);
    if (random.chance(0.3)) shuffle(members, random);
    return `${this.space()}{${this.space()}${members.join(`,${this.space()}`)}}${this.space()}`;
  }

  #duplicates(add: (key: string, value: string) => void): void {
    const random = this.#random;
    if (random.chance(0.1))
      add(
        random.pick(['rule', 'source', 'priority', 'hostname', 'output']),
        this.#textMember([...NAMES, ...SOURCES, ...PRIORITIES]),
      );
    if (random.chance(0.06))
      add(
        'output_fields',
        this.#nullOr(() => this.#fields()),
      );
    if (random.chance(0.06))
      add(
        'tags',
        this.#nullOr(() => this.#tags()),
      );
    if (random.chance(0.04)) add('context', random.chance(0.7) ? '{"pod":[1]}' : this.value());
    if (random.chance(0.04)) add('trace_id', random.chance(0.7) ? '"x"' : this.value());
    if (random.chance(0.01)) {
      const key = random.pick(['rule', 'source', 'priority', 'hostname', 'output', 'time', 'tags', 'output_fields']);
      add(key, this.value());
    }
  }

  /** Mostly one of these texts, sometimes null. */
  #textMember(texts: readonly string[]): string {
    return this.#random.chance(0.04) ? 'null' : this.string(this.#random.pick(texts));
  }

  #nullOr(make: () => string): string {
    return this.#random.chance(0.04) ? 'null' : make();
  }

  #priorities(): readonly string[] {
    const random = this.#random;
    if (random.chance(0.1))
      return [
        'warn',
        'INFO',
        'Info',
        'x',
        'informationally',
        '',
        'Informatiónal',
        'debug ',
        '\u0001debug',
        'Err\u006fr\u0000',
      ];
    return random.chance(0.2) ? PRIORITIES.map((name) => name.toUpperCase()) : PRIORITIES;
  }

  #time(): string {
    const random = this.#random;
    const time = random.chance(0.9) ? random.pick(TIMES.slice(0, 4)) : random.pick(TIMES);
    return random.chance(0.97) ? `"${time}"` : this.string(time);
  }

  #key(name: string): string {
    const random = this.#random;
    if (random.chance(0.9)) return this.string(name);
    const cased = [...name].map((letter) => (random.chance(0.4) ? letter.toUpperCase() : letter)).join('');
    return this.string(random.chance(0.2) ? cased.replace(/s/i, '\u017f') : cased);
  }

  #fields(): string {
    return this.#object(
      () => (this.#random.chance(0.8) ? this.#random.pick(KEYS) : `other.${this.#random.below(9)}`),
      12,
      () => this.#fieldValue(),
    );
  }

  #fieldValue(): string {
    const kind = this.#random.below(20);
    if (kind < 8) return this.string(this.#random.pick(TEXTS));
    if (kind < 13) return this.number();
    if (kind < 16) return this.#random.pick(['true', 'false', 'null']);
    if (kind < 17) return `"${this.#random.pick(['', 'a'])}${this.#random.pick(LONE_SURROGATES)}"`;
    return this.value();
  }

  #tags(): string {
    const random = this.#random;
    const tag = () => (random.chance(0.92) ? this.string(random.chance(0.9) ? random.pick(TAGS) : 'zz') : this.value());
    return this.#list(tag, 6);
  }

  /** A value of any kind, nested at most four levels. */
  value(depth = 0): string {
    const random = this.#random;
    const kind = random.below(depth > 3 ? 5 : 8);
    if (kind === 0) return random.pick(['true', 'false', 'null']);
    if (kind === 1) return this.number();
    if (kind < 5) return this.string(random.pick(TEXTS));
    if (kind === 5) return this.#list(() => this.value(depth + 1), 4);
    return this.#object(
      () => random.pick(KEYS),
      3,
      () => this.value(depth + 1),
    );
  }

  #list(item: () => string, most: number): string {
    const items = this.#random.many(() => `${item()}${this.space()}`, 0, most);
    return `[${this.space()}${items.join(`,${this.space()}`)}]`;
  }

  #object(key: () => string, most: number, value: () => string): string {
    const members = this.#random.many(
      () => `${this.string(key())}${this.space()}:${this.space()}${value()}${this.space()}`,
      0,
      most,
    );
    return `{${this.space()}${members.join(`,${this.space()}`)}}`;
  }

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

function shuffle(items: string[], random: Random): void {
  for (let index = items.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [items[index], items[other]] = [items[other] as string, items[index] as string];
  }
}
