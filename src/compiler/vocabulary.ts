import * as layout from './core/layout.ts';

/** Texts at the top of an alert that rules can ask about. */
export type HeaderText = 'rule' | 'priority' | 'source' | 'hostname';

/** What a fact is about: one of those texts, a field, a tag, the level of the priority, or nothing. */
export type FactKind = HeaderText | 'field' | 'tag' | 'level' | 'always';

/**
 * A statement about an alert, the same object wherever rules make the same one. The table builder gives it an address and
 * hangs postings on it.
 */
export interface Fact {
  readonly kind: FactKind;
  /** How many times rules need it to hold. */
  uses: number;
  /** Address in the module; 0 until the tables are laid out. */
  address: number;
}

/** A value of the alert that rules ask about: a key of `output_fields`, or one of the header texts. */
export interface Slot {
  readonly kind: HeaderText | 'field';
  /** Facts by the text that the value is compared with. */
  readonly values: Map<string, Fact>;
  /** Some condition compares the value as a number. */
  readsNumber: boolean;
  address: number;
}

/** The facts of a policy by what they are about. */
export interface Vocabulary {
  readonly headers: Readonly<Record<HeaderText, Slot>>;
  /** By key of `output_fields`. */
  readonly fields: Map<string, Slot>;
  readonly tags: Map<string, Fact>;
  /** Facts by priority number, 0 to 8. */
  readonly levels: readonly Fact[];
  /** The fact that holds for every alert. */
  readonly always: Fact;
}

export function newVocabulary(): Vocabulary {
  return {
    headers: {
      rule: newSlot('rule', layout.SEGMENT_AT + layout.HEADER_RULE_SLOT),
      priority: newSlot('priority', layout.SEGMENT_AT + layout.HEADER_PRIORITY_SLOT),
      source: newSlot('source', layout.SEGMENT_AT + layout.HEADER_SOURCE_SLOT),
      hostname: newSlot('hostname', layout.SEGMENT_AT + layout.HEADER_HOSTNAME_SLOT),
    },
    fields: new Map(),
    tags: new Map(),
    levels: Array.from({ length: 9 }, () => newFact('level')),
    always: newFact('always'),
  };
}

function newSlot(kind: Slot['kind'], address: number): Slot {
  return { kind, values: new Map(), readsNumber: false, address };
}

function newFact(kind: FactKind): Fact {
  return { kind, uses: 0, address: 0 };
}

function factOf(facts: Map<string, Fact>, text: string, kind: FactKind): Fact {
  const known = facts.get(text);
  if (known) return known;
  const fact = newFact(kind);
  facts.set(text, fact);
  return fact;
}

/** The slot of a key of `output_fields`. */
export function fieldSlot(vocabulary: Vocabulary, key: string): Slot {
  const known = vocabulary.fields.get(key);
  if (known) return known;
  const slot = newSlot('field', 0);
  vocabulary.fields.set(key, slot);
  return slot;
}

/** The fact that a value has a text among its forms. */
export function valueFact(slot: Slot, text: string): Fact {
  return factOf(slot.values, text, slot.kind);
}

/** The fact that a tag is there. */
export function tagFact(vocabulary: Vocabulary, tag: string): Fact {
  return factOf(vocabulary.tags, tag, 'tag');
}

export interface Term {
  readonly fact: Fact;
  /** The term holds when the fact does not. */
  readonly negated: boolean;
}

/** A criterion: any of the alternatives, of which all terms must hold. */
export type Group = readonly (readonly Term[])[];

/** The term that a fact holds. */
export function holds(fact: Fact): Term {
  return { fact, negated: false };
}
