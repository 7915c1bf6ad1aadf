import { AlertGenerator } from './generate-alert.ts';
import type { Random } from './random.ts';

const PUNCTUATION = [...Buffer.from('"\\{}[]:,0e.-+ \n\0tnfu')];
const ODD_BODIES = [
  ...[
    '',
    ' ',
    '\n\t',
    '[]',
    'null',
    'nullx',
    '1',
    '1 x',
    '"x"',
    'true',
    'tru',
    '{',
    '{}',
    '{}x',
    '{}{}',
    '{"a"',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
  ],
  ...[
    '{"rule":"x"} {"rule":5}',
    '\ufeff{}',
    '{"a":01}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":-}',
    '{"a":1e}',
    '{"a":"\t"}',
    '{"a":"\\x"}',
  ],
  ...[
    '{"a":"\\u12G4"}',
    '{"a":"\\ud83d\\u12G4"}',
    '{,}',
    '{"rule":5}',
    '{"tags":"a"}',
    '{"output_fields":[]}',
    '{"priority":1}',
  ],
  ...[
    '{"a":tru}',
    '{"a":nul',
    '{"a":fals}',
    '{"a":"\\',
    '{"a":"\\u',
    '{"a":"\\ud83d\\',
    '{"rule":"a","RULE":5}',
    '{"time":"\\u0032"}',
  ],
  ...[
    '{"rule":"a" "b"}',
    '{"rule":"a",,}',
    '{"output_fields":{"a":1,}}',
    '{"output_fields":{"a" 1}}',
    '{"tags":[1 2]}',
    '{"tags":[,]}',
  ],
  ...[
    '-',
    '{"a":[}',
    '{"a":{]}',
    '{"a":1]',
    '[{}',
    '{"a":"\u007f\u0080"}',
    '{"output_fields":{1:2}}',
    '{1:2}',
    '{"context":[]}',
    '{"trace_id":1}',
  ],
];
const INVALID_UTF8 = [
  [0xff],
  [0xc0, 0x80],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f],
  [0x80],
  [0xe2, 0x28, 0xa1],
  [0xe0, 0x80, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
];

/** The bytes of a request: mostly a well-formed alert, else one with a fault, of a great size or depth, or something else. */
export class BodyGenerator {
  readonly #random: Random;
  readonly #alerts: AlertGenerator;

  constructor(random: Random) {
    this.#random = random;
    this.#alerts = new AlertGenerator(random);
  }

  body(): Uint8Array {
    const random = this.#random;
    if (random.chance(0.03)) return Buffer.from(random.pick(ODD_BODIES));
    let text = this.#alerts.alert();
    if (random.chance(0.004))
      text = withMember(text, `"big":${JSON.stringify('y"\\é🚀'.repeat(random.below(60_000)))}`);
    if (random.chance(0.004)) text = withMember(text, this.#deep());
    if (random.chance(0.05)) text += random.pick(['x', '{}', '\n{"rule":"x"}', '}', ',', '\0', '"']);
    const bytes = Buffer.from(text);
    return random.chance(0.15) ? this.#damaged(bytes) : bytes;
  }

  #deep(): string {
    const depth = this.#random.pick([90, 101, 500, 9_997, 9_998, 9_999, 10_000, 10_001, 50_000]);
    const nested = this.#random.chance(0.5)
      ? `${'['.repeat(depth)}${']'.repeat(depth)}`
      : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    return this.#random.chance(0.5) ? `"deep":${nested}` : `"output_fields":{"a":${nested}}`;
  }

  #damaged(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const at = random.below(bytes.length);
    switch (random.below(6)) {
      case 0:
        return bytes.subarray(0, at);
      case 1:
        return spliced(bytes, at, 1, [random.below(256)]);
      case 2:
        return spliced(bytes, at, 1, [random.pick(PUNCTUATION)]);
      case 3:
        return spliced(bytes, at, 0, [random.pick(PUNCTUATION)]);
      case 4:
        return spliced(bytes, at, 1 + random.below(8), []);
      default:
        return spliced(bytes, at, random.below(2), random.pick(INVALID_UTF8));
    }
  }
}

function withMember(text: string, member: string): string {
  const end = text.lastIndexOf('}');
  const comma = /[{]\s*$/.test(text.slice(0, end)) ? '' : ',';
  return `${text.slice(0, end)}${comma}${member}${text.slice(end)}`;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: readonly number[]): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(added), bytes.subarray(at + removed)]);
}
