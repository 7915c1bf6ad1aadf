// The table segment's header, read as constants of the policy.

import { SEGMENT_AT } from '../layout';

/** A word of the header. */
// @ts-ignore: decorator
@inline
export function header(offset: i32): usize {
  return <usize>load<u32>(SEGMENT_AT + offset);
}

/** A word of a record, as an address. */
// @ts-ignore: decorator
@inline
export function pointer(record: usize, offset: i32): usize {
  return <usize>load<u32>(record + offset);
}
