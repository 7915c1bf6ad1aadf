import type { Random } from './random.ts';
import { KEYS, NAMES, PRIORITIES, SOURCES, TAGS, TEXTS } from './words.ts';

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

/** A condition in CEL that the type checker lets pass: every form of the vocabulary, nested at random. */
export function generateCondition(random: Random, depth = 0): string {
  const kind = random.below(depth > 2 ? 10 : 14);
  if (kind === 13) return `!(${generateCondition(random, depth + 1)})`;
  if (kind >= 10) {
    const operator = random.pick(['&&', '||']);
    return `(${generateCondition(random, depth + 1)} ${operator} ${generateCondition(random, depth + 1)})`;
  }
  if (kind < 3) return textTerm(random);
  if (kind < 6) return fieldTerm(random);
  if (kind === 6) return numberTerm(random);
  if (kind === 7) return presenceTerm(random);
  if (kind === 8) return tagTerm(random);
  return otherTerm(random);
}

/** A string literal of CEL. JSON's escapes are CEL's too, but for the slash. */
export function celString(text: string): string {
  return JSON.stringify(text);
}

function textTerm(random: Random): string {
  const [member, texts] = random.pick(MEMBERS);
  return comparison(random, `event.${member}`, texts);
}

function field(random: Random): string {
  const key = random.pick(KEYS);
  return key === 'a' && random.chance(0.3) ? 'event.output_fields.a' : `event.output_fields[${celString(key)}]`;
}

function fieldTerm(random: Random): string {
  return comparison(random, field(random), TEXTS);
}

function comparison(random: Random, value: string, texts: readonly string[]): string {
  const text = () => celString(random.pick(texts));
  switch (random.below(9)) {
    case 0:
    case 1:
      return `${value} == ${text()}`;
    case 2:
      return `${value} != ${text()}`;
    case 3:
    case 4:
      return `${value} in [${random.many(text, 1, 3).join(', ')}]`;
    case 5:
      return `${value}.startsWith(${text()})`;
    case 6:
      return `${value}.endsWith(${text()})`;
    case 7:
      return `${value}.contains(${text()})`;
    default:
      return random.chance(0.5) ? `${value}.matches("${random.pick(PATTERNS)}")` : `${value} < ${text()}`;
  }
}

function numberTerm(random: Random): string {
  const number = random.chance(0.6) ? random.pick(INTS) : random.pick(DOUBLES);
  if (random.chance(0.2)) return `${field(random)} in [${random.pick(INTS)}, ${random.pick(INTS)}]`;
  return `${field(random)} ${random.pick(['==', '!=', '<', '<=', '>', '>='])} ${number}`;
}

function presenceTerm(random: Random): string {
  if (random.chance(0.3)) return 'has(event.output_fields.a)';
  return `${celString(random.pick(KEYS))} in event.output_fields`;
}

function tagTerm(random: Random): string {
  const tag = celString(random.pick(TAGS));
  switch (random.below(4)) {
    case 0:
      return `${tag} in event.tags`;
    case 1:
      return `event.tags.exists(t, t == ${tag})`;
    case 2:
      return `event.tags.all(t, t != ${tag})`;
    default:
      return `event.tags.exists(t, ["a", "con"].exists(p, t.startsWith(p)))`;
  }
}

function otherTerm(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return `${field(random)} == ${random.pick(['true', 'false', 'null'])}`;
    case 1:
      return `${field(random)} != ${random.pick(['true', 'null'])}`;
    case 2:
      return field(random);
    case 3:
      return `${field(random)} == ${field(random)}`;
    case 4:
      return `${field(random)} in [${celString(random.pick(TEXTS))}, ${random.pick(INTS)}, null, true]`;
    case 5:
      return `(${field(random)} == ${celString(random.pick(TEXTS))} ? event.rule == "x" : event.source == "syscall")`;
    case 6:
      return libraryTerm(random);
    default:
      return random.pick(['true', 'false']);
  }
}

/** A call of each function of the vocabulary. */
export function libraryTerm(random: Random): string {
  const text = random.chance(0.5) ? field(random) : `event.${random.pick(MEMBERS)[0]}`;
  const value = field(random);
  const wanted = celString(random.pick(TEXTS));
  const small = random.below(6);
  return random.pick([
    `size(event.tags) ${random.pick(['<', '==', '>'])} ${small}`,
    `${text}.size() > ${small}`,
    `${text}.lowerAscii() == ${wanted} || ${text}.upperAscii() == "X"`,
    `${text}.trim() == ${wanted}`,
    `${text}.indexOf("a") == ${small} || ${text}.lastIndexOf("s") > ${small}`,
    `${text}.substring(${small}) == ${wanted} || ${text}.substring(0, ${small}) == "ba"`,
    `${text}.split(" ").size() > 1 && ${text}.split(" ", 2).join("") != ""`,
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
