// Memory above the tables. A bump pointer that the host sets back before each evaluation; nothing is ever freed.

import { HEADER_HEAP_BASE, SLACK } from '../layout';
import { header } from './header';

export namespace heap {
  /** Next free byte; 0 until the host or the first allocation sets it. */
  export let next: usize = 0;
}

/** Makes memory up to `top` usable. False when the host refuses to grow it. */
export function ensure(top: usize): bool {
  const have = <usize>memory.size() << 16;
  if (top <= have) return true;
  return memory.grow(<i32>((top - have + 65535) >> 16)) >= 0;
}

export function heapPointer(): usize {
  return heap.next == 0 ? header(HEADER_HEAP_BASE) : heap.next;
}

/** Room for a sentinel and wide loads is left after each piece. Traps when memory cannot grow, as OPA's own does. */
export function allocate(size: usize): usize {
  const at = (heapPointer() + 7) & ~7;
  const next = at + size + SLACK;
  if (next < at || !ensure(next + 64)) unreachable();
  heap.next = next;
  return at;
}

/** A value of the ABI: a box around a piece of JSON text, {pointer, length}. */
export function box(text: usize, length: usize): usize {
  const at = allocate(8);
  store<u32>(at, <u32>text);
  store<u32>(at, <u32>length, 4);
  return at;
}
