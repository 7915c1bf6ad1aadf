import { JsonGenerator } from './generate-json.ts';
import type { Random } from './random.ts';
import { KEYS, LONE_SURROGATES, NAMES, OUTPUTS, PRIORITIES, SOURCES, TAGS, TEXTS, TIMES } from './words.ts';

/**
 * The text of an alert, well-formed as JSON: any order and white space, escapes where none is needed, lone surrogates, keys
 * in any case, duplicates, values of every type. A part of them has fields of a wrong type.
 */
export class AlertGenerator {
  readonly #random: Random;
  readonly #json: JsonGenerator;

  constructor(random: Random) {
    this.#random = random;
    this.#json = new JsonGenerator(random);
  }

  alert(): string {
    const random = this.#random;
    const members: string[] = [];
    const add = (key: string, value: string) =>
      members.push(`${this.#key(key)}${this.#json.space()}:${this.#json.space()}${value}${this.#json.space()}`);
    if (random.chance(0.3))
      add('uuid', random.chance(0.9) ? this.#json.string('123e4567-e89b-12d3') : this.#json.value());
    if (random.chance(0.8)) add('output', this.#textMember(OUTPUTS));
    if (random.chance(0.95)) add('priority', this.#textMember(this.#priorities()));
    if (random.chance(0.95)) add('rule', this.#textMember(NAMES));
    if (random.chance(0.7)) add('time', this.#time());
    if (random.chance(0.7)) add('source', this.#textMember([...SOURCES, '']));
    if (random.chance(0.9)) add('output_fields', this.#nullOr(this.#fields()));
    if (random.chance(0.5)) add('hostname', this.#textMember(['node-1', '']));
    if (random.chance(0.8)) add('tags', this.#nullOr(this.#tags()));
    if (random.chance(0.1)) add('extra', this.#json.value());
    this.#duplicates(add);
    if (random.chance(0.3)) shuffle(members, random);
    return `${this.#json.space()}{${this.#json.space()}${members.join(`,${this.#json.space()}`)}}${this.#json.space()}`;
  }

  #duplicates(add: (key: string, value: string) => void): void {
    const random = this.#random;
    if (random.chance(0.1))
      add(
        random.pick(['rule', 'source', 'priority', 'hostname', 'output']),
        this.#textMember([...NAMES, ...SOURCES, ...PRIORITIES]),
      );
    if (random.chance(0.06)) add('output_fields', this.#nullOr(this.#fields()));
    if (random.chance(0.06)) add('tags', this.#nullOr(this.#tags()));
    if (random.chance(0.04)) add('context', random.chance(0.7) ? '{"pod":[1]}' : this.#json.value());
    if (random.chance(0.04)) add('trace_id', random.chance(0.7) ? '"x"' : this.#json.value());
    if (random.chance(0.01)) {
      const key = random.pick(['rule', 'source', 'priority', 'hostname', 'output', 'time', 'tags', 'output_fields']);
      add(key, this.#json.value());
    }
  }

  /** Mostly one of these texts, sometimes null. */
  #textMember(texts: readonly string[]): string {
    return this.#random.chance(0.04) ? 'null' : this.#json.string(this.#random.pick(texts));
  }

  #nullOr(value: string): string {
    return this.#random.chance(0.04) ? 'null' : value;
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
    return random.chance(0.97) ? `"${time}"` : this.#json.string(time);
  }

  #key(name: string): string {
    const random = this.#random;
    if (random.chance(0.9)) return this.#json.string(name);
    const cased = [...name].map((letter) => (random.chance(0.4) ? letter.toUpperCase() : letter)).join('');
    return this.#json.string(random.chance(0.2) ? cased.replace(/s/i, '\u017f') : cased);
  }

  #fields(): string {
    return this.#json.object(
      () => (this.#random.chance(0.8) ? this.#random.pick(KEYS) : `other.${this.#random.below(9)}`),
      12,
      () => this.#fieldValue(),
    );
  }

  #fieldValue(): string {
    const kind = this.#random.below(20);
    if (kind < 8) return this.#json.string(this.#random.pick(TEXTS));
    if (kind < 13) return this.#json.number();
    if (kind < 16) return this.#random.pick(['true', 'false', 'null']);
    if (kind < 17) return `"${this.#random.pick(['', 'a'])}${this.#random.pick(LONE_SURROGATES)}"`;
    return this.#json.value();
  }

  #tags(): string {
    const random = this.#random;
    const tag = () =>
      random.chance(0.92) ? this.#json.string(random.chance(0.9) ? random.pick(TAGS) : 'zz') : this.#json.value();
    return this.#json.list(tag, 6);
  }
}

function shuffle(items: string[], random: Random): void {
  for (let index = items.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [items[index], items[other]] = [items[other] as string, items[index] as string];
  }
}
