/**
 * Where things lie in the memory of the policy module. Shared by the core (compiled by AssemblyScript) and by the table
 * builder (compiled by TypeScript), so it holds nothing but numbers. All integers are little-endian u32 and all pointers
 * absolute addresses unless said otherwise; offsets are bytes from the start of a record.
 *
 *     1024   places: four pairs of offsets, one per header field of the alert
 *     1088   folded key
 *     2048   two big integers, for numbers that a double cannot take directly
 *     6144   open containers, one bit each
 *     8192   table segment (in the module): header, slots, facts, postings, rules, texts, hash tables
 *     ...    scratch (zero, not in the module): touched slots, present facts, candidates, result indices, nested values
 *     heap   values of the host, data, then: input, NUL, decoded strings, results
 */

export const PLACES_AT = 1024;
/** After the pairs: 1 when the input may have bytes beyond ASCII. */
export const PLACES_BEYOND_ASCII = 32;
export const FOLDED_KEY_AT = 1088;
export const BIG_LEFT_AT = 2048;
export const BIG_RIGHT_AT = 4096;
export const OPEN_CONTAINERS_AT = 6144;
export const SEGMENT_AT = 8192;

/** Containers that may be open at once, the outermost one included. */
export const MAX_DEPTH = 10000;

// Header, at SEGMENT_AT. A box is {pointer, length} of a text.
export const HEADER_SEGMENT_LENGTH = 0;
export const HEADER_HEAP_BASE = 4;
export const HEADER_RULE_COUNT = 8;
/** Boxes of JSON texts: what the ABI functions of the same names return, and the revision. */
export const HEADER_ENTRYPOINTS = 16;
export const HEADER_BUILTINS = 24;
export const HEADER_REVISION = 32;
/** Boxes of the fixed parts of answers; a pair has the JSON form first, then Rego's. */
export const HEADER_RESULT_OPEN = 40;
export const HEADER_RESULT_CLOSE = 56;
export const HEADER_PLAN_OPEN = 72;
export const HEADER_PLAN_CLOSE = 80;
export const HEADER_ERROR_OPEN = 88;
export const HEADER_ERROR_OFFSET = 96;
/** Boxes of the JSON between the members of an alert that conditions hand to the host, see EVENT_MEMBERS. */
export const HEADER_EVENT_JSON = 592;
/** Box of the text `syscall`, the source of an alert that names none. */
export const HEADER_DEFAULT_SOURCE = 104;
/** Hash tables: {pointer or 0, mask}. */
export const HEADER_KEYS = 112;
export const HEADER_TAGS = 120;
export const HEADER_NUMBER_TEXTS = 128;
/** Arrays: nine facts, one per priority number; the fact that always holds; a pointer per rule; the texts of each rule. */
export const HEADER_PRIORITY_FACTS = 136;
export const HEADER_ALWAYS = 140;
export const HEADER_RULES = 144;
export const HEADER_RULE_TEXTS = 148;
/** All slots and all facts, {first, end}: their stamps are cleared when the epoch wraps. */
export const HEADER_SLOTS = 152;
export const HEADER_FACTS = 160;
/** Scratch. */
export const HEADER_TOUCHED = 168;
export const HEADER_PRESENT = 172;
export const HEADER_CANDIDATES = 176;
export const HEADER_SUMMARY = 180;
export const HEADER_SUMMARY_WORDS = 184;
export const HEADER_MATCHED = 188;
export const HEADER_RENDERED = 192;
export const HEADER_RENDER_ENTRIES = 196;
/** Slots of the texts at the top level of an alert. */
export const HEADER_RULE_SLOT = 208;
export const HEADER_PRIORITY_SLOT = 304;
export const HEADER_SOURCE_SLOT = 400;
export const HEADER_HOSTNAME_SLOT = 496;
export const HEADER_SIZE = 664;

/**
 * The pieces of HEADER_EVENT_JSON: what stands before each of the members rule, priority, source, hostname, output, time and
 * tags, then before the object `output_fields`, which is put together from several, and what ends the text.
 */
export const EVENT_MEMBERS = 7;
export const EVENT_FIELDS = 7;
export const EVENT_END = 8;

/**
 * A slot: a text of the alert that rules ask about, either a key of `output_fields` or one of the four at the top level.
 * It holds what the scan found, and the tables that turn the value into facts. A value counts as one or two facts, for
 * numbers have two text forms; 0 means that no rule mentions it.
 */
export const SLOT_SIZE = 96;
export const SLOT_STAMP = 0;
export const SLOT_FACT = 4;
export const SLOT_SECOND_FACT = 8;
/** The value is judged at the end of the scan, when it is known to be the winning one: its kind is SLOT_KIND. */
export const SLOT_PENDING = 12;
export const SLOT_VALUES = 16;
/** Table of doubles, 0 when no rule compares this slot with a number. */
export const SLOT_NUMBERS = 24;
export const SLOT_TRUE_FACT = 32;
export const SLOT_FALSE_FACT = 36;
export const SLOT_NULL_FACT = 40;
/** Longest text of a list or an object that a rule compares with, in bytes, and its deepest nesting; 0: none does. */
export const SLOT_NESTED_LENGTH = 44;
export const SLOT_NESTED_DEPTH = 48;
export const SLOT_KIND = 52;
export const SLOT_TEXT = 56;
export const SLOT_TEXT_LENGTH = 60;
/** f64. */
export const SLOT_NUMBER = 64;
/** Where the raw value begins. */
export const SLOT_RAW = 72;

export const KIND_TEXT = 1;
export const KIND_NUMBER = 2;
export const KIND_TRUE = 3;
export const KIND_FALSE = 4;
export const KIND_NULL = 5;
export const KIND_NESTED = 6;

/**
 * A fact: a statement about an alert that some rule makes, such as "the tag is there" or "this key has this text". Its
 * address, a multiple of 16, is its identity; it holds when its stamp is the current epoch. The postings are the rules
 * that are worth checking when it holds.
 */
export const FACT_SIZE = 16;
export const FACT_STAMP = 0;
export const FACT_POSTINGS = 4;
export const FACT_POSTING_COUNT = 8;

/** A posting: {signature u64, rule index, accepted priorities}. */
export const POSTING_SIZE = 16;
export const POSTING_SIGNATURE = 0;
export const POSTING_RULE = 8;
export const POSTING_PRIORITIES = 12;

/** Entry of a hash table of texts: {hash, text pointer, text length, value}; value 0 marks a free entry. */
export const TEXT_ENTRY_SIZE = 16;
export const TEXT_ENTRY_HASH = 0;
export const TEXT_ENTRY_TEXT = 4;
export const TEXT_ENTRY_LENGTH = 8;
export const TEXT_ENTRY_VALUE = 12;

/** Entry of a table of doubles: {bits u64, fact of the plain form, fact of Go's form}; free when both are 0. */
export const NUMBER_ENTRY_SIZE = 16;
export const NUMBER_ENTRY_BITS = 0;
export const NUMBER_ENTRY_PLAIN = 8;
export const NUMBER_ENTRY_GO = 12;

/** Entry of the table of number texts: {bits u64, plain text {pointer, length}, Go's text}; free when both pointers are 0. */
export const NUMBER_TEXT_SIZE = 24;
export const NUMBER_TEXT_BITS = 0;
export const NUMBER_TEXT_PLAIN = 8;
export const NUMBER_TEXT_GO = 16;

/** A key of an object that is being rendered: {key, length, raw value}. */
export const RENDER_ENTRY_SIZE = 12;
export const RENDER_ENTRY_KEY = 0;
export const RENDER_ENTRY_LENGTH = 4;
export const RENDER_ENTRY_VALUE = 8;

/**
 * A rule: accepted priorities (bits 0-8) and whether later rules are cut off (bit 16), the number of its condition or 0,
 * the number of groups, then the groups, all of which must hold. A group is {bytes, number of alternatives,
 * alternatives}, an alternative {number of terms, terms}, a term the address of a fact, with bit 0 set when it must not hold.
 */
export const RULE_PRIORITIES = 0;
export const RULE_STOPS_BIT = 16;
export const RULE_CONDITION = 4;
export const RULE_GROUP_COUNT = 8;
export const RULE_GROUPS = 12;
export const GROUP_BYTES = 0;
export const GROUP_ALTERNATIVES = 4;
export const GROUP_FIRST = 8;

/**
 * The texts of a rule: its part of a plan is head and tail, one after the other (tails are shared between rules), its
 * name the first `name length` bytes after `{"rule":` in the head.
 */
export const RULE_TEXT_SIZE = 20;
export const RULE_TEXT_HEAD = 0;
export const RULE_TEXT_HEAD_LENGTH = 4;
export const RULE_TEXT_NAME_LENGTH = 8;
export const RULE_TEXT_TAIL = 12;
export const RULE_TEXT_TAIL_LENGTH = 16;
/** Length of `{"rule":`. */
export const RULE_TEXT_NAME_OFFSET = 8;

/** What {@link HEADER_ENTRYPOINTS} lists. */
export const ENTRYPOINT_PLAN = 0;
export const ENTRYPOINT_MATCH = 1;

// Operators of comparisons with a number.
export const COMPARE_EQUAL = 0;
export const COMPARE_LESS = 1;
export const COMPARE_AT_MOST = 2;
export const COMPARE_MORE = 3;
export const COMPARE_AT_LEAST = 4;

// Truth of a condition: error is absorbed by a bitwise and with false, by a bitwise or with true.
export const TRUTH_FALSE = 0;
export const TRUTH_ERROR = 1;
export const TRUTH_TRUE = 3;

/** Bytes past the end of texts and inputs that wide loads may touch. */
export const SLACK = 32;
