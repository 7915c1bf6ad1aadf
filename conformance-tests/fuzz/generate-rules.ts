import { JsonNumber, type JsonValue } from '../../src/model/json-value.ts';
import { ANY_PRIORITY, priorityNumber } from '../../src/model/priority.ts';
import type { FieldTerm, MatchTerms, PolicyRule } from '../../src/model/rule.ts';
import { textForms } from '../../src/model/text-form.ts';
import { ConditionGenerator, type Sample } from './generate-condition.ts';
import type { Random } from './random.ts';
import { KEYS, NAMES, NUMBER_TEXTS, PRIORITIES, SOURCES, TAGS, TEXTS } from './words.ts';

/**
 * Rules as the compiler gives them to both engines, numbered in their names. Half of what they compare fields with is taken
 * from these samples, in all the spellings that somebody might think of.
 */
export function generateRules(random: Random, samples: readonly Sample[]): PolicyRule[] {
  const generator = new RuleGenerator(random, samples);
  const most = random.chance(0.05) ? 300 : 15;
  return random.many(() => generator.terms(), 0, most).map((match, index) => policyRule(`r${index}`, match, random));
}

function policyRule(rule: string, match: MatchTerms, random: Random): PolicyRule {
  return {
    rule,
    description: random.chance(0.1) ? 'é"\\\n' : '',
    continue: !random.chance(0.15),
    dry_run: random.chance(0.1),
    notifiers: [],
    actions: [],
    written: {},
    match,
  };
}

class RuleGenerator {
  readonly #random: Random;
  readonly #samples: readonly Sample[];
  readonly #conditions: ConditionGenerator;

  constructor(random: Random, samples: readonly Sample[]) {
    this.#random = random;
    this.#samples = samples;
    this.#conditions = new ConditionGenerator(random, samples);
  }

  /** Half of the rules have one criterion, so that nothing else hides a difference; the others have any. */
  terms(): MatchTerms {
    const random = this.#random;
    const only = random.chance(0.5) ? random.pick(CRITERIA) : undefined;
    const has = (criterion: Criterion, probability: number) => (only ? criterion === only : random.chance(probability));
    return {
      rules: has('rules', 0.4) ? random.many(() => random.pick(NAMES), 1, 3) : [],
      priority: has('priority', 0.3) ? generatePriority(random) : { text: '', accepts: ANY_PRIORITY },
      source: has('source', 0.2) ? random.pick(SOURCES) : '',
      tags: has('tags', 0.3) ? random.many(() => random.many(() => random.pick(TAGS), 1, 3), 1, 3) : [],
      output_fields: has('output_fields', 0.5) ? random.many(() => random.many(() => this.#term(), 1, 3), 1, 3) : [],
      condition: has('condition', 0.3) ? this.#conditions.condition() : '',
    };
  }

  #term(): FieldTerm {
    const random = this.#random;
    const operator = random.chance(0.3) ? '!=' : '=';
    if (this.#samples.length > 0 && random.chance(0.6)) {
      const [key, value] = random.pick(this.#samples);
      return { key, operator, value: random.pick(spellings(value)) };
    }
    return { key: random.pick(KEYS), operator, value: generateValue(random) };
  }
}

type Criterion = keyof MatchTerms;
const CRITERIA: readonly Criterion[] = [
  'rules',
  'priority',
  'source',
  'tags',
  'output_fields',
  'output_fields',
  'condition',
  'condition',
];

/** Rules compare fields with short texts; a deep value has a long one. */
const LONGEST_VALUE = 400;

/** Texts that a value might be thought to equal; about half of them it does. */
function spellings(value: JsonValue): string[] {
  const forms = textForms(value).filter((text) => text.length <= LONGEST_VALUE);
  if (!(value instanceof JsonNumber)) return [...forms, ...forms.map((text) => `${text} `), ''];
  const double = Number(value.text);
  return [
    ...forms,
    value.text,
    String(double),
    double.toFixed(2),
    double.toExponential(),
    value.text.replace(/^-/, ''),
  ];
}

const COMPARISONS: Readonly<Record<string, (actual: number, wanted: number) => boolean>> = {
  '': (actual, wanted) => actual === wanted,
  '=': (actual, wanted) => actual === wanted,
  '<': (actual, wanted) => actual < wanted,
  '<=': (actual, wanted) => actual <= wanted,
  '>': (actual, wanted) => actual > wanted,
  '>=': (actual, wanted) => actual >= wanted,
};

function generatePriority(random: Random): MatchTerms['priority'] {
  const operator = random.pick(Object.keys(COMPARISONS));
  const name = random.pick(PRIORITIES);
  const holds = COMPARISONS[operator] ?? (() => true);
  let accepts = 0;
  for (let number = 0; number <= 8; number++) if (holds(number, priorityNumber(name))) accepts |= 1 << number;
  return { text: `${operator}${name}`, accepts };
}

function generateValue(random: Random, depth = 0): string {
  const kind = random.below(depth > 2 ? 8 : 10);
  if (kind < 4) return random.pick(TEXTS);
  if (kind < 8) return random.pick(NUMBER_TEXTS);
  if (kind === 8) return `[${random.many(() => generateValue(random, depth + 1), 0, 2).join(' ')}]`;
  const keys = [...new Set(random.many(() => random.pick(KEYS), 0, 2))].sort();
  return `map[${keys.map((key) => `${key}:${generateValue(random, depth + 1)}`).join(' ')}]`;
}
