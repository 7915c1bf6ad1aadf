import { celNumber } from '../../src/model/condition-event.ts';
import { JsonNumber, type JsonValue } from '../../src/model/json-value.ts';
import { textForms } from '../../src/model/text-form.ts';
import { celLiteral, celString, numberLiteral } from './cel-literal.ts';
import type { Random } from './random.ts';
import { KEYS, NAMES, PRIORITIES, SOURCES, TAGS, TEXTS } from './words.ts';

/** An output field that an alert has. */
export type Sample = readonly [key: string, value: JsonValue];

const INTS = [
  '0',
  '1',
  '443',
  '8080',
  '1000000',
  '-1',
  '9007199254740993',
  '1700000000123456789',
  '9223372036854775807',
];
const DOUBLES = ['443.0', '0.1', '3.14', '1e6', '1e308', '-0.0', '9007199254740992.0', '1.7e18', '0.00001'];
const PATTERNS = ['^ba', 'sh$', '[a-z]+', 'é|ü', '(?i)BASH', '.', '^$', 'a.b', '\\\\p{L}\\\\d'];
const MEMBERS: readonly (readonly [member: string, texts: readonly string[]])[] = [
  ['rule', NAMES],
  ['priority', PRIORITIES],
  ['source', SOURCES],
  ['hostname', ['node-1', '']],
  ['output', ['A shell', 'x', '', 'é🚀']],
];
/** Characters, about. */
const LONGEST_LITERAL = 300;

/**
 * Conditions in CEL that the type checker lets pass: every form of the vocabulary, nested at random. Half of what they ask
 * for is taken from samples, so that they hold now and then.
 */
export class ConditionGenerator {
  readonly #random: Random;
  readonly #samples: readonly Sample[];

  constructor(random: Random, samples: readonly Sample[]) {
    this.#random = random;
    this.#samples = samples.filter(([, value]) => hasLiteral(value));
  }

  condition(depth = 0): string {
    const random = this.#random;
    const kind = random.below(depth > 2 ? 10 : 14);
    if (kind === 13) return `!(${this.condition(depth + 1)})`;
    if (kind >= 10) {
      return `(${this.condition(depth + 1)} ${random.pick(['&&', '||'])} ${this.condition(depth + 1)})`;
    }
    if (kind < 3) return this.#memberTerm();
    if (kind < 5) return this.#fieldTerm();
    if (kind < 7) return this.#numberTerm();
    if (kind === 7) return this.#presenceTerm();
    if (kind === 8) return this.#tagTerm();
    return this.#otherTerm();
  }

  #sample(): Sample {
    const random = this.#random;
    const known = this.#samples.length > 0 && random.chance(0.6);
    return known ? random.pick(this.#samples) : [random.pick(KEYS), random.pick(TEXTS)];
  }

  #field(key: string = this.#sample()[0]): string {
    return key === 'a' && this.#random.chance(0.3) ? 'event.output_fields.a' : `event.output_fields[${celString(key)}]`;
  }

  #memberTerm(): string {
    const [member, texts] = this.#random.pick(MEMBERS);
    return this.#comparison(`event.${member}`, [...texts, ...texts.flatMap(partsOf)]);
  }

  #fieldTerm(): string {
    const [key, value] = this.#sample();
    return this.#comparison(this.#field(key), typeof value === 'string' ? [value, ...partsOf(value)] : TEXTS);
  }

  #comparison(value: string, texts: readonly string[]): string {
    const random = this.#random;
    const text = () => celString(random.pick(texts));
    switch (random.below(9)) {
      case 0:
        return random.chance(0.5) ? `${value} == ${text()}` : `${text()} == ${value}`;
      case 1:
      case 2:
        return `${value} != ${text()}`;
      case 3:
        return `${value} in [${random.many(text, 0, 3).join(', ')}]`;
      case 4:
        return `${value}.startsWith(${text()})`;
      case 5:
        return `${value}.endsWith(${text()})`;
      case 6:
        return `${value}.contains(${text()})`;
      case 7:
        return `${value}.matches("${random.pick(PATTERNS)}")`;
      default:
        return `${value} < ${text()}`;
    }
  }

  #numberTerm(): string {
    const random = this.#random;
    const [key, number] = this.#numberSample();
    const field = this.#field(key);
    if (random.chance(0.2)) return `${field} in [${number}, ${random.pick(INTS)}]`;
    const operator = random.pick(['==', '!=', '<', '<=', '>', '>=']);
    return random.chance(0.7) ? `${field} ${operator} ${number}` : `${number} ${operator} ${field}`;
  }

  /** A key and a number near to what some alert has there. */
  #numberSample(): readonly [key: string, number: string] {
    const random = this.#random;
    const [key, value] = this.#sample();
    if (!(value instanceof JsonNumber) || random.chance(0.2)) {
      return [key, random.chance(0.6) ? random.pick(INTS) : random.pick(DOUBLES)];
    }
    const number = celNumber(value);
    if (random.chance(0.2)) return [key, numberLiteral(Number(number))];
    if (typeof number === 'number' || random.chance(0.5)) return [key, celLiteral(value)];
    const near = number + BigInt(random.pick([-1, 1]));
    return [key, numberLiteral(near > 2n ** 63n - 1n ? number : near)];
  }

  #presenceTerm(): string {
    if (this.#random.chance(0.3)) return 'has(event.output_fields.a)';
    return `${celString(this.#sample()[0])} in event.output_fields`;
  }

  #tagTerm(): string {
    const random = this.#random;
    const tag = celString(random.pick(TAGS));
    return random.pick([
      `${tag} in event.tags`,
      `event.tags.exists(t, t == ${tag})`,
      `event.tags.all(t, t != ${tag})`,
      `event.tags.exists(t, ["a", "con"].exists(p, t.startsWith(p)))`,
    ]);
  }

  #otherTerm(): string {
    const random = this.#random;
    const [key, value] = this.#sample();
    const field = this.#field(key);
    switch (random.below(8)) {
      case 0:
        return `${field} == ${random.pick(['true', 'false', 'null'])}`;
      case 1:
        return `${field} != ${random.pick(['true', 'null'])}`;
      case 2:
        return field;
      case 3:
        return `${field} == ${this.#field()}`;
      case 4:
        return `${field} in [${celString(random.pick(TEXTS))}, ${random.pick(INTS)}, null, true]`;
      case 5:
        return `(${field} == ${celLiteral(value)} ? event.rule == "x" : event.source == "syscall")`;
      case 6:
        return `${field} ${random.pick(['==', '!='])} ${celLiteral(value)}`;
      default:
        return this.libraryTerm();
    }
  }

  /** A call of some function of the vocabulary. */
  libraryTerm(): string {
    const random = this.#random;
    const value = this.#field();
    const text = random.chance(0.5) ? value : `event.${random.pick(MEMBERS)[0]}`;
    const wanted = celString(random.pick(TEXTS));
    const small = random.below(6);
    return random.pick([
      random.pick(['true', 'false']),
      `size(event.tags) ${random.pick(['<', '==', '>'])} ${small}`,
      `${text}.size() > ${small}`,
      `${text}.lowerAscii() == ${wanted} || ${text}.upperAscii() == "X"`,
      `${text}.trim() == ${wanted}`,
      `${text}.indexOf("a") == ${small} || ${text}.lastIndexOf("s") > ${small}`,
      `${text}.substring(${small}) == ${wanted} || ${text}.substring(0, ${small}) == "ba"`,
      `${text}.split(" ").size() > 1 && ${text}.split(" ").join("") != ""`,
      `event.tags.filter(t, t == "a").size() == ${small} || event.tags.map(t, t) == event.tags`,
      `event.tags.exists_one(t, t == ${celString(random.pick(TAGS))})`,
      `${value} in event.tags`,
      `${value}[0] == 1 || ${value}["a"] == ${wanted}`,
      `${value} == [1, "a"] || ${value} == {"a": 1}`,
      `int(${value}) == ${random.pick(INTS)} || double(${value}) > 1.0`,
      `string(${value}) == "443" || bool(${value})`,
      `type(${value}) == ${random.pick(['string', 'int', 'double', 'bool', 'list', 'map', 'null_type'])}`,
      `${value} + 1 > ${random.pick(INTS)} || ${value} * 2 == 886 || ${value} - 0.5 < 1.0`,
      `${value} % 2 == 1 || ${value} / 0 == 1 || -${value} < 0`,
      `${text} + "x" == "bashx"`,
      `timestamp(event.time) > timestamp("2024-02-01T00:00:00Z") && timestamp(event.time).getFullYear() == 2024`,
      `timestamp(event.time).getHours() == ${small} || timestamp(event.time).getDayOfMonth() > ${small}`,
      `timestamp(event.time) - timestamp("2024-01-01T00:00:00Z") < duration("${small}h30m")`,
    ]);
  }
}

/** Whether the expression for a value is short and equals it: the library drops a key `__proto__` of a map. */
function hasLiteral(value: JsonValue): boolean {
  const [text = ''] = textForms(value);
  return text.length <= LONGEST_LITERAL && !text.includes('__proto__:');
}

/** Beginnings, ends and middles of a text, cut between characters. */
function partsOf(text: string): string[] {
  const characters = [...text];
  const parts = [characters.slice(0, 2), characters.slice(-2), characters.slice(1, -1), characters.slice(1)];
  return parts.map((part) => part.join(''));
}
