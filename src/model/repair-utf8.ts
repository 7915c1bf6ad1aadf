/**
 * The bytes with U+FFFD in the place of each invalid byte, as Go's JSON decoder reads them; the same array when nothing is
 * invalid. Unlike TextDecoder, which puts one U+FFFD for a whole truncated sequence.
 */
export function repairUtf8(bytes: Uint8Array): Uint8Array {
  const invalid = invalidPositions(bytes);
  if (invalid.length === 0) return bytes;
  const repaired = new Uint8Array(bytes.length + 2 * invalid.length);
  let from = 0;
  let to = 0;
  for (const position of invalid) {
    repaired.set(bytes.subarray(from, position), to);
    to += position - from;
    repaired[to++] = 0xef;
    repaired[to++] = 0xbf;
    repaired[to++] = 0xbd;
    from = position + 1;
  }
  repaired.set(bytes.subarray(from), to);
  return repaired;
}

function invalidPositions(bytes: Uint8Array): number[] {
  const positions: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    if ((bytes[at] as number) < 0x80) at += 1;
    else {
      const length = sequenceLength(bytes, at);
      if (length === 0) positions.push(at);
      at += length || 1;
    }
  }
  return positions;
}

/** Bytes of the well-formed sequence of two to four bytes at a position, or 0. Unicode, table 3-7. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  if (second < lowestSecond(lead) || second > highestSecond(lead)) return 0;
  for (let index = 2; index < length; index++) {
    const next = bytes[at + index] ?? 0;
    if (next < 0x80 || next > 0xbf) return 0;
  }
  return length;
}

/** Shorter spellings of the same code point are invalid. */
function lowestSecond(lead: number): number {
  if (lead === 0xe0) return 0xa0;
  return lead === 0xf0 ? 0x90 : 0x80;
}

/** Surrogates and what lies beyond U+10FFFF are invalid. */
function highestSecond(lead: number): number {
  if (lead === 0xed) return 0x9f;
  return lead === 0xf4 ? 0x8f : 0xbf;
}
