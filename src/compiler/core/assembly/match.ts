// From facts to rules. Each rule hangs on one kind of fact that it cannot match without, so the facts of an alert lead to the
// few rules worth checking. A posting also carries the signature of the other facts that its rule needs, one bit per fact,
// so that most are dropped where they are read. The index only ever yields too many rules: each is then checked as a whole.

import {
  FACT_POSTINGS,
  FACT_POSTING_COUNT,
  FACT_SIZE,
  FACT_STAMP,
  GROUP_ALTERNATIVES,
  GROUP_BYTES,
  GROUP_FIRST,
  HEADER_ALWAYS,
  HEADER_CANDIDATES,
  HEADER_FACTS,
  HEADER_HOSTNAME_SLOT,
  HEADER_MATCHED,
  HEADER_PRESENT,
  HEADER_PRIORITY_FACTS,
  HEADER_PRIORITY_SLOT,
  HEADER_RULES,
  HEADER_RULE_SLOT,
  HEADER_SLOTS,
  HEADER_SOURCE_SLOT,
  HEADER_SUMMARY,
  HEADER_SUMMARY_WORDS,
  HEADER_TOUCHED,
  POSTING_PRIORITIES,
  POSTING_RULE,
  POSTING_SIGNATURE,
  POSTING_SIZE,
  RULE_CONDITION,
  RULE_GROUPS,
  RULE_GROUP_COUNT,
  RULE_PRIORITIES,
  RULE_STOPS_BIT,
  SEGMENT_AT,
  SLOT_FACT,
  SLOT_PENDING,
  SLOT_SECOND_FACT,
  SLOT_SIZE,
  SLOT_STAMP,
  SLOT_TEXT,
  SLOT_TEXT_LENGTH,
  SLOT_VALUES,
  TRUTH_TRUE,
} from '../layout';
import { talon_condition } from './condition';
import { forgetEventText } from './event-text';
import { defaultSource, event, readEvent } from './event';
import { header, pointer } from './header';
import { ensure } from './heap';
import { lookUpText } from './lookup';
import { priorityNumber } from './priority';
import { ERROR_MEMORY, scan } from './scanner';
import { settle, slots } from './slots';

namespace facts {
  /** Facts that hold, listed at HEADER_PRESENT, and the signature of all of them. */
  export let count: usize = 0;
  export let signature: u64 = 0;
  export let priority: u32 = 0;
}

/** Bodies are smaller than this, or four times their length would not fit into an address. */
const LARGEST_BODY: usize = 0x20000000;
/** Room past the input and its decoded strings. */
const MARGIN: usize = 512;

/**
 * Finds the rules that match the alert at `input`. Their number, the indices being at HEADER_MATCHED in order; or minus the
 * error code.
 */
export function evaluate(input: usize, length: usize): i32 {
  event.input = input;
  scan.error = 0;
  scan.errorAt = input;
  scan.end = input + length;
  scan.decoded = input + length + 32;
  if (length > LARGEST_BODY || !ensure(input + (length << 1) + MARGIN)) {
    scan.error = ERROR_MEMORY;
    scan.decoded = input;
    return -ERROR_MEMORY;
  }
  nextEpoch();
  v128.store(scan.end, i8x16.splat(0));
  if (!readEvent()) return -scan.error;
  collectFacts();
  nominate();
  const count = verifyCandidates();
  return scan.error ? -scan.error : count; // a condition may have found no memory
}

function nextEpoch(): void {
  if (++slots.epoch != 0) return;
  // Once in 2^32 alerts: no old stamp may pass for a new one.
  for (let slot = header(HEADER_SLOTS); slot < header(HEADER_SLOTS + 4); slot += SLOT_SIZE) store<u32>(slot, 0, SLOT_STAMP);
  for (let fact = header(HEADER_FACTS); fact < header(HEADER_FACTS + 4); fact += FACT_SIZE) store<u32>(fact, 0, FACT_STAMP);
  forgetEventText();
  slots.epoch = 1;
}

/** As `signatureBit` of the table builder. */
// @ts-ignore: decorator
@inline
function signatureBit(fact: usize): u64 {
  return <u64>1 << <u64>((<u32>(fact >> 4) * 0x9e3779b1) >> 26);
}

// @ts-ignore: decorator
@inline
function state(fact: usize): void {
  if (!fact) return;
  store<u32>(fact, slots.epoch, FACT_STAMP);
  store<u32>(header(HEADER_PRESENT) + (facts.count << 2), <u32>fact);
  facts.count++;
  facts.signature |= signatureBit(fact);
}

/** Stamps and lists all facts of the alert. */
function collectFacts(): void {
  const present = header(HEADER_PRESENT);
  let signature: u64 = 0;
  for (let i: usize = 0; i < event.tags; i++) signature |= signatureBit(pointer(present + (i << 2), 0));
  facts.count = event.tags;
  facts.signature = signature;
  facts.priority = priorityNumber();
  defaultSource();
  stateText(HEADER_RULE_SLOT);
  stateText(HEADER_SOURCE_SLOT);
  stateText(HEADER_PRIORITY_SLOT);
  stateText(HEADER_HOSTNAME_SLOT);
  const touched = header(HEADER_TOUCHED);
  for (let i: usize = 0; i < slots.touched; i++) {
    const slot = pointer(touched + (i << 2), 0);
    if (load<u32>(slot, SLOT_PENDING)) settle(slot);
    const fact = pointer(slot, SLOT_FACT);
    const second = pointer(slot, SLOT_SECOND_FACT);
    state(fact);
    if (second != fact) state(second);
  }
}

// @ts-ignore: decorator
@inline
function stateText(offset: i32): void {
  const slot: usize = SEGMENT_AT + offset;
  const fact = lookUpText(slot + SLOT_VALUES, pointer(slot, SLOT_TEXT), pointer(slot, SLOT_TEXT_LENGTH));
  store<u32>(slot, slots.epoch, SLOT_STAMP);
  store<u32>(slot, <u32>fact, SLOT_FACT);
  state(fact);
}

/** Marks the rules that hang on the facts of the alert, as bits at HEADER_CANDIDATES. */
function nominate(): void {
  const present = header(HEADER_PRESENT);
  const end = present + (facts.count << 2);
  for (let at = present; at < end; at += 4) nominateFrom(pointer(at, 0));
  nominateFrom(header(HEADER_PRIORITY_FACTS) + <usize>facts.priority * FACT_SIZE);
  nominateFrom(header(HEADER_ALWAYS));
}

// @ts-ignore: decorator
@inline
function nominateFrom(fact: usize): void {
  let posting = pointer(fact, FACT_POSTINGS);
  const end = posting + pointer(fact, FACT_POSTING_COUNT) * POSTING_SIZE;
  const missing = ~facts.signature;
  const priority: u32 = 1 << facts.priority;
  for (; posting < end; posting += POSTING_SIZE) {
    if ((load<u64>(posting, POSTING_SIGNATURE) & missing) != 0 || (load<u32>(posting, POSTING_PRIORITIES) & priority) == 0)
      continue;
    const rule = load<u32>(posting, POSTING_RULE);
    const word = <usize>(rule >> 6);
    const candidates = header(HEADER_CANDIDATES) + (word << 3);
    const summary = header(HEADER_SUMMARY) + ((word >> 6) << 3);
    store<u64>(candidates, load<u64>(candidates) | (<u64>1 << <u64>(rule & 63)));
    store<u64>(summary, load<u64>(summary) | (<u64>1 << <u64>(word & 63)));
  }
}

/**
 * Checks the candidates in the order of the rules, wiping their bits. The bits of a summary word tell which words of
 * candidates are not 0.
 */
function verifyCandidates(): i32 {
  const words = header(HEADER_SUMMARY_WORDS);
  const summary = header(HEADER_SUMMARY);
  const matched = header(HEADER_MATCHED);
  let count: usize = 0;
  let stopped = false;
  for (let i: usize = 0; i < words; i++) {
    let marks = load<u64>(summary + (i << 3));
    if (!marks) continue;
    store<u64>(summary + (i << 3), 0);
    do {
      const word = (i << 6) + <usize>ctz(marks);
      marks &= marks - 1;
      const at = header(HEADER_CANDIDATES) + (word << 3);
      let candidates = load<u64>(at);
      store<u64>(at, 0);
      for (; candidates && !stopped; candidates &= candidates - 1) {
        const index = (word << 6) + <usize>ctz(candidates);
        const rule = pointer(header(HEADER_RULES) + (index << 2), 0);
        if (!holds(rule)) continue;
        store<u32>(matched + (count << 2), <u32>index);
        count++;
        stopped = ((load<u32>(rule, RULE_PRIORITIES) >> RULE_STOPS_BIT) & 1) != 0;
      }
    } while (marks);
  }
  return <i32>count;
}

/** Whether a rule matches. */
// @ts-ignore: decorator
@inline
function holds(rule: usize): bool {
  if (((load<u32>(rule, RULE_PRIORITIES) >> facts.priority) & 1) == 0) return false;
  const groups = load<u32>(rule, RULE_GROUP_COUNT);
  let group = rule + RULE_GROUPS;
  for (let i: u32 = 0; i < groups; i++) {
    if (!groupHolds(group)) return false;
    group += pointer(group, GROUP_BYTES);
  }
  const condition = load<u32>(rule, RULE_CONDITION);
  return condition == 0 || talon_condition(condition) == TRUTH_TRUE;
}

/** Whether all terms of any alternative hold. */
// @ts-ignore: decorator
@inline
function groupHolds(group: usize): bool {
  const epoch = slots.epoch;
  let alternatives = load<u32>(group, GROUP_ALTERNATIVES);
  let at = group + GROUP_FIRST;
  do {
    const end = at + 4 + (pointer(at, 0) << 2);
    at += 4;
    while (at < end) {
      const term = load<u32>(at);
      const negated = (term & 1) != 0;
      if ((load<u32>(<usize>(term & ~1), FACT_STAMP) == epoch) == negated) break;
      at += 4;
    }
    if (at == end) return true;
    at = end;
  } while (--alternatives);
  return false;
}
