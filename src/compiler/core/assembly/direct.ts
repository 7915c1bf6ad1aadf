// The direct door: what our own runtime calls, with no JSON on the way out.

import { HEADER_MATCHED, HEADER_REVISION, HEADER_RULE_COUNT, PLACES_AT, PLACES_BEYOND_ASCII, SEGMENT_AT } from '../layout';
import { event } from './event';
import { header } from './header';
import { evaluate } from './match';
import { ERROR_EMPTY, ERROR_MEMORY, scan } from './scanner';

/** Version of this door and of the table segment. A host refuses what it does not know. */
export const talon_version: i32 = 1;

/**
 * Evaluates the alert at `input`. The number of matching rules, or minus the error code. Everything above the input is
 * overwritten; needs no entry for the heap pointer.
 */
export function talon_evaluate(input: usize, length: usize): i32 {
  if (length == 0) {
    event.input = scan.errorAt = input;
    return -ERROR_EMPTY;
  }
  const count = evaluate(input, length);
  const readable = count != -ERROR_MEMORY;
  store<u32>(PLACES_AT, readable && hasHighBytes(input, length) ? 1 : 0, PLACES_BEYOND_ASCII);
  return count;
}

/** Whether a byte is beyond ASCII, and the host has to look whether the input is UTF-8. */
// @ts-ignore: decorator
@inline
function hasHighBytes(at: usize, length: usize): bool {
  let even = i8x16.splat(0);
  let odd = i8x16.splat(0);
  // The bytes past the end that the last round reads are NULs or ours to misjudge.
  for (const end = at + length; at < end; at += 64) {
    even = v128.or(even, v128.or(v128.load(at), v128.load(at, 16)));
    odd = v128.or(odd, v128.or(v128.load(at, 32), v128.load(at, 48)));
  }
  return i8x16.bitmask(v128.or(even, odd)) != 0;
}
/** Indices of the matching rules of the last evaluation, u32 each. */
export function talon_matched(): usize {
  return header(HEADER_MATCHED);
}
/**
 * Pairs of offsets {start, end}, i32 each, for rule, priority, source and output: where the text between the quotes stands
 * in the input of the last evaluation. -1 when the alert has no such text.
 */
export function talon_places(): usize {
  return PLACES_AT;
}
/** Offset of what the last evaluation stumbled over. */
export function talon_error_offset(): usize {
  return scan.errorAt - event.input;
}
/** Box {pointer, length} of the JSON text of the policy's revision. */
export function talon_revision(): usize {
  return SEGMENT_AT + HEADER_REVISION;
}
export function talon_rule_count(): usize {
  return header(HEADER_RULE_COUNT);
}
