// Conditions. The linker writes the body of `talon_condition` for each policy: calls of the functions below, joined by bitwise
// operations on truths (TRUTH_FALSE, TRUTH_ERROR, TRUTH_TRUE). A value that is missing or of the wrong type is an error, which
// `&&` and `||` absorb as CEL says.

import {
  KIND_TEXT,
  SLOT_KIND,
  SLOT_STAMP,
  SLOT_TEXT,
  SLOT_TEXT_LENGTH,
  TRUTH_ERROR,
  TRUTH_FALSE,
  TRUTH_TRUE,
} from '../layout';
import { pointer } from './header';
import { sameBytes } from './lookup';
import { slots } from './slots';

/** The truth of a condition by its number. The last function of the module; its body is replaced when a policy is linked. */
// @ts-ignore: decorator
@external('talon', 'condition')
export declare function talon_condition(condition: u32): i32;
