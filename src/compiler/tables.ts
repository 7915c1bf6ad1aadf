import type { PlannedRule, PolicyRule } from '../model/rule.ts';
import { type Index, indexRules } from './access.ts';
import * as layout from './core/layout.ts';
import { placeFields, placeTextTable } from './field-tables.ts';
import type { LoweredPolicy, LoweredRule } from './lower.ts';
import { Segment } from './segment.ts';
import type { Fact } from './vocabulary.ts';

/** What stands around the values of an alert that conditions hand to the host; HEADER_EVENT_JSON says which. */
const EVENT_PIECES = [
  '{"rule":',
  ...['priority', 'source', 'hostname', 'output', 'time', 'tags'].map((member) => `,"${member}":`),
  ',"output_fields":{',
  '}}',
];

/** JSON texts that a module answers with besides those of its rules. */
export interface ModuleTexts {
  readonly revision: string;
  /** Host builtins by name, with their numbers. */
  readonly builtins: Readonly<Record<string, number>>;
}

/**
 * Builds the table segment of a policy: facts, their postings, rules, texts and hash tables, laid out as core/layout.ts says.
 * Gives the facts and fields of the policy their addresses on the way.
 *
 * @param placeMore adds what else the module needs to the segment, when all addresses are known
 */
export function buildTables(
  policy: LoweredPolicy,
  rules: readonly PolicyRule[],
  texts: ModuleTexts,
  placeMore: (segment: Segment) => void = () => {},
): Uint8Array {
  const segment = new Segment();
  segment.reserve(layout.HEADER_SIZE);
  const field = (offset: number, value: number) => segment.u32(layout.SEGMENT_AT + offset, value);
  placeFacts(segment, policy);
  placePostings(segment, indexRules(policy));
  field(layout.HEADER_RULES, placeRules(segment, policy.rules));
  field(layout.HEADER_RULE_TEXTS, placeRuleTexts(segment, rules));
  field(layout.HEADER_RULE_COUNT, rules.length);
  placeLookups(segment, policy);
  placeTexts(segment, texts);
  placeMore(segment);
  // Wide loads may read past the last text.
  segment.reserve(layout.SLACK);
  placeScratch(segment, policy);
  field(layout.HEADER_SEGMENT_LENGTH, segment.bytes.length);
  return segment.bytes;
}

/** Reserves the records of fields and facts, so that everything else can refer to them. */
function placeFacts(segment: Segment, { vocabulary }: LoweredPolicy): void {
  const fields = [...vocabulary.fields.values()];
  const slots = segment.reserve(fields.length * layout.SLOT_SIZE, 16);
  fields.forEach((field, index) => {
    field.address = slots + index * layout.SLOT_SIZE;
  });
  const facts: Fact[] = [
    ...vocabulary.levels,
    vocabulary.always,
    ...vocabulary.tags.values(),
    ...[...Object.values(vocabulary.headers), ...fields].flatMap((slot) => [...slot.values.values()]),
  ];
  const records = segment.reserve(facts.length * layout.FACT_SIZE, 16);
  facts.forEach((fact, index) => {
    fact.address = records + index * layout.FACT_SIZE;
  });
  const range = (offset: number, first: number, end: number) => {
    segment.u32(layout.SEGMENT_AT + offset, first);
    segment.u32(layout.SEGMENT_AT + offset + 4, end);
  };
  range(layout.HEADER_SLOTS, slots, slots + fields.length * layout.SLOT_SIZE);
  range(layout.HEADER_FACTS, records, records + facts.length * layout.FACT_SIZE);
  segment.u32(layout.SEGMENT_AT + layout.HEADER_PRIORITY_FACTS, records);
  segment.u32(layout.SEGMENT_AT + layout.HEADER_ALWAYS, vocabulary.always.address);
}

function placePostings(segment: Segment, index: Index): void {
  for (const [fact, postings] of index) {
    let at = segment.reserve(postings.length * layout.POSTING_SIZE, 16);
    segment.u32(fact.address + layout.FACT_POSTINGS, at);
    segment.u32(fact.address + layout.FACT_POSTING_COUNT, postings.length);
    for (const { rule, priorities, signature } of postings) {
      segment.u64(at + layout.POSTING_SIGNATURE, signature);
      segment.u32(at + layout.POSTING_RULE, rule);
      segment.u32(at + layout.POSTING_PRIORITIES, priorities);
      at += layout.POSTING_SIZE;
    }
  }
}

/** Places the rules and the list of them; returns the address of the list. */
function placeRules(segment: Segment, rules: readonly LoweredRule[]): number {
  const list = segment.reserve(rules.length * 4);
  rules.forEach((rule, index) => {
    const words = wordsOfRule(rule);
    const address = segment.reserve(words.length * 4);
    words.forEach((word, position) => {
      segment.u32(address + position * 4, word);
    });
    segment.u32(list + index * 4, address);
  });
  return list;
}

function wordsOfRule({ priorities, stops, groups, condition }: LoweredRule): number[] {
  const words = [priorities | (stops ? 1 << layout.RULE_STOPS_BIT : 0), condition?.number ?? 0, groups.length];
  for (const group of groups) {
    const start = words.length;
    words.push(0, group.length);
    for (const terms of group) {
      words.push(terms.length);
      for (const { fact, negated } of terms) words.push(fact.address | (negated ? 1 : 0));
    }
    words[start] = (words.length - start) * 4;
  }
  return words;
}

/** Places each rule's part of a plan, ready to be copied; returns the address of the list. */
function placeRuleTexts(segment: Segment, rules: readonly PolicyRule[]): number {
  const list = segment.reserve(rules.length * layout.RULE_TEXT_SIZE);
  const encoder = new TextEncoder();
  rules.forEach((rule, index) => {
    const at = list + index * layout.RULE_TEXT_SIZE;
    const { head, tail } = planTexts(rule);
    segment.box(at + layout.RULE_TEXT_HEAD, head);
    segment.u32(at + layout.RULE_TEXT_NAME_LENGTH, encoder.encode(JSON.stringify(rule.rule)).length);
    segment.box(at + layout.RULE_TEXT_TAIL, tail);
  });
  return list;
}

/** JSON of a planned rule in two pieces. The tail, which holds the actions, is often the same for many rules. */
function planTexts(rule: PolicyRule): { head: string; tail: string } {
  const named: Pick<PlannedRule, 'rule' | 'description'> = { rule: rule.rule, description: rule.description };
  const rest: Omit<PlannedRule, 'rule' | 'description'> = {
    continue: rule.continue,
    dry_run: rule.dry_run,
    notifiers: rule.notifiers,
    actions: rule.actions,
    written: rule.written,
  };
  return { head: JSON.stringify(named).slice(0, -1), tail: `,${JSON.stringify(rest).slice(1)}` };
}

/** Places the hash tables that turn texts of an alert into facts. */
function placeLookups(segment: Segment, { vocabulary }: LoweredPolicy): void {
  const addresses = (facts: ReadonlyMap<string, { readonly address: number }>) =>
    [...facts].map(([text, { address }]): [string, number] => [text, address]);
  const at = (offset: number) => layout.SEGMENT_AT + offset;
  for (const { address, values } of Object.values(vocabulary.headers)) {
    placeTextTable(segment, address + layout.SLOT_VALUES, addresses(values));
    segment.u32(address + layout.SLOT_KIND, layout.KIND_TEXT);
  }
  placeTextTable(segment, at(layout.HEADER_TAGS), addresses(vocabulary.tags));
  placeTextTable(segment, at(layout.HEADER_KEYS), addresses(vocabulary.fields));
  placeFields(segment, vocabulary.fields);
}

function placeTexts(segment: Segment, { revision, builtins }: ModuleTexts): void {
  const box = (offset: number, text: string) => segment.box(layout.SEGMENT_AT + offset, text);
  const entrypoints = { 'talon/plan': layout.ENTRYPOINT_PLAN, 'talon/match': layout.ENTRYPOINT_MATCH };
  box(layout.HEADER_ENTRYPOINTS, JSON.stringify(entrypoints));
  box(layout.HEADER_BUILTINS, JSON.stringify(builtins));
  box(layout.HEADER_REVISION, JSON.stringify(revision));
  box(layout.HEADER_RESULT_OPEN, '[{"result":');
  box(layout.HEADER_RESULT_OPEN + 8, '{{"result":');
  box(layout.HEADER_RESULT_CLOSE, '}]');
  box(layout.HEADER_RESULT_CLOSE + 8, '}}');
  box(layout.HEADER_PLAN_OPEN, `{"revision":${JSON.stringify(revision)},"rules":[`);
  box(layout.HEADER_PLAN_CLOSE, ']}');
  box(layout.HEADER_ERROR_OPEN, '{"error":');
  box(layout.HEADER_ERROR_OFFSET, ',"offset":');
  box(layout.HEADER_DEFAULT_SOURCE, 'syscall');
  EVENT_PIECES.forEach((piece, index) => {
    box(layout.HEADER_EVENT_JSON + 8 * index, piece);
  });
}

/** Assigns the memory between the segment and the heap, which is 0 at first and not part of the module. */
function placeScratch(segment: Segment, { vocabulary, rules }: LoweredPolicy): void {
  let next = segment.end;
  const scratch = (offset: number, size: number) => {
    next = (next + 15) & ~15;
    segment.u32(layout.SEGMENT_AT + offset, next);
    next += size;
  };
  const facts = segment.readU32(layout.SEGMENT_AT + layout.HEADER_FACTS);
  const factsEnd = segment.readU32(layout.SEGMENT_AT + layout.HEADER_FACTS + 4);
  const words = Math.ceil(rules.length / 64);
  const summaryWords = Math.ceil(words / 64);
  const longest = longestNestedText(segment, vocabulary.fields.values());
  scratch(layout.HEADER_TOUCHED, 4 * vocabulary.fields.size);
  scratch(layout.HEADER_PRESENT, (4 * (factsEnd - facts)) / layout.FACT_SIZE);
  scratch(layout.HEADER_CANDIDATES, 8 * words);
  scratch(layout.HEADER_SUMMARY, 8 * summaryWords);
  segment.u32(layout.SEGMENT_AT + layout.HEADER_SUMMARY_WORDS, summaryWords);
  scratch(layout.HEADER_MATCHED, 4 * rules.length);
  scratch(layout.HEADER_RENDERED, longest + layout.SLACK);
  scratch(layout.HEADER_RENDER_ENTRIES, (Math.floor(longest / 2) + 1) * layout.RENDER_ENTRY_SIZE);
  scratch(layout.HEADER_HEAP_BASE, 0);
}

function longestNestedText(segment: Segment, fields: Iterable<{ readonly address: number }>): number {
  let longest = 0;
  for (const { address } of fields) longest = Math.max(longest, segment.readU32(address + layout.SLOT_NESTED_LENGTH));
  return longest;
}
