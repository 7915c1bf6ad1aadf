// Reads what the core's binary exports and replaces its two holes: the bytes of its only data segment and the body of its last
// function. See the WebAssembly specification, "Binary Format", for sections and LEB128.

const SECTION_EXPORT = 7;
const SECTION_CODE = 10;
const SECTION_DATA = 11;
const HEADER_LENGTH = 8;
const PASSIVE = 1;
const EXPORTED_FUNCTION = 0;

interface Section {
  readonly id: number;
  /** First byte of the section's id, of its contents, and after it. */
  readonly start: number;
  readonly contents: number;
  readonly end: number;
}

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}

function readLeb(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let next = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[next++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next };
  }
}

function findSection(module: Uint8Array, id: number): Section {
  for (let start = HEADER_LENGTH; start < module.length; ) {
    const { value: length, next: contents } = readLeb(module, start + 1);
    if (module[start] === id) return { id, start, contents, end: contents + length };
    start = contents + length;
  }
  throw new Error(`the core has no section ${id}`);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function withSection(module: Uint8Array, section: Section, contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  return concat([
    module.subarray(0, section.start),
    Uint8Array.from([section.id, ...leb(length)]),
    ...contents,
    module.subarray(section.end),
  ]);
}

/** The module with other bytes in its only, passive data segment. */
export function replaceData(module: Uint8Array, data: Uint8Array): Uint8Array {
  const head = Uint8Array.from([1, PASSIVE, ...leb(data.length)]);
  return withSection(module, findSection(module, SECTION_DATA), [head, data]);
}

/** The module with another body, local declarations included, for its last function. */
export function replaceLastBody(module: Uint8Array, body: Uint8Array): Uint8Array {
  const section = findSection(module, SECTION_CODE);
  const { value: count, next } = readLeb(module, section.contents);
  let last = next;
  for (let index = 1; index < count; index++) {
    const { value: length, next: start } = readLeb(module, last);
    last = start + length;
  }
  return withSection(module, section, [
    module.subarray(section.contents, last),
    Uint8Array.from(leb(body.length)),
    body,
  ]);
}

/** Indices of the functions that a module exports, by name. */
export function exportedFunctions(module: Uint8Array): ReadonlyMap<string, number> {
  const section = findSection(module, SECTION_EXPORT);
  const decoder = new TextDecoder();
  const functions = new Map<string, number>();
  let { value: count, next } = readLeb(module, section.contents);
  for (; count > 0; count--) {
    const { value: length, next: nameStart } = readLeb(module, next);
    const nameEnd = nameStart + length;
    const { value: index, next: end } = readLeb(module, nameEnd + 1);
    if (module[nameEnd] === EXPORTED_FUNCTION)
      functions.set(decoder.decode(module.subarray(nameStart, nameEnd)), index);
    next = end;
  }
  return functions;
}
