import type { Spot } from '../../compiler/source.ts';
import { didYouMean } from '../../compiler/suggest.ts';
import type { MapEntry, YamlNode } from '../../compiler/yaml-node.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';

/** Mistakes in test files, by codes as the compiler has them, with what to do about each. Never reused. */
export const TEST_ERRORS = {
  T1801: { title: 'a test file has a key that is not known', advice: 'remove it, or correct its spelling' },
  T1802: { title: 'a value in a test file has the wrong kind', advice: 'see docs/testing.md for what each key takes' },
  T1803: { title: 'a test case lacks something', advice: 'see docs/testing.md for what a case needs' },
  T1804: { title: 'two test cases have one name', advice: 'rename one of them' },
  T1805: {
    title: 'a test case takes its alert from a case that is not there',
    advice: 'name a case that stands above it',
  },
  T1806: {
    title: 'a file that a test case names cannot be used',
    advice: 'check the path, which starts at the test file',
  },
  T1807: { title: 'a test case fails', advice: 'correct the rules or the expectation' },
} as const;

/** Collects the mistakes of one test file. */
export class TestFindings {
  readonly diagnostics: Diagnostic[] = [];

  add(code: keyof typeof TEST_ERRORS, { source, start, end }: Spot, message: string, hint?: string): void {
    const place = source.place(start, end);
    this.diagnostics.push({ code, severity: 'error', message, place, ...(hint !== undefined && { hint }) });
  }

  /** Something lacks; shown where it would stand. */
  missing(spot: Spot, message: string): void {
    this.add('T1803', { ...spot, end: spot.start }, message);
  }
}

/**
 * Reads a mapping whose keys are all known: a key that is not, or a value of the wrong kind, is a mistake with its place.
 * What is wrong reads as absent, so that reading goes on and finds the other mistakes too.
 */
export class StrictMap {
  readonly #node: YamlNode;
  readonly #entries: ReadonlyMap<string, MapEntry>;
  readonly #findings: TestFindings;

  constructor(node: YamlNode, what: string, keys: readonly string[], findings: TestFindings) {
    this.#node = node;
    this.#findings = findings;
    this.#entries = node.kind === 'map' ? node.entries : new Map();
    if (node.kind !== 'map') findings.add('T1802', node, `${what} is a mapping`);
    for (const { key } of this.#entries.values()) {
      if (!keys.includes(key.text)) {
        findings.add('T1801', key, `unknown key \`${key.text}\` in ${what}`, didYouMean(key.text, keys));
      }
    }
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  node(key: string): YamlNode | undefined {
    return this.#entries.get(key)?.value;
  }

  /** The place to blame for a key: its value, or the mapping that lacks it. */
  spot(key?: string): Spot {
    const { source, start, end } = (key === undefined ? undefined : this.node(key)) ?? this.#node;
    return { source, start, end };
  }

  text(key: string): string | undefined {
    const node = this.node(key);
    if (node?.kind === 'scalar') return node.text;
    if (node) this.#findings.add('T1802', node, `\`${key}\` is a text`);
    return undefined;
  }

  number(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
    this.#findings.add('T1802', this.spot(key), `\`${key}\` is a number from 1 on, not \`${text}\``);
    return undefined;
  }

  /** One of some words. */
  word<const W extends string>(key: string, words: readonly W[]): W | undefined {
    const text = this.text(key);
    const word = words.find((each) => each === text);
    if (text === undefined || word !== undefined) return word;
    const message = `\`${key}\` is ${words.join(', ').replace(/, (?=[^,]*$)/, ' or ')}, not \`${text}\``;
    this.#findings.add('T1802', this.spot(key), message, didYouMean(text, words));
    return undefined;
  }

  /** A mapping of its own. */
  map(key: string, keys: readonly string[]): StrictMap | undefined {
    const node = this.node(key);
    return node && new StrictMap(node, `\`${key}\``, keys, this.#findings);
  }

  /** A mapping of texts, by any keys. */
  textMap(key: string): Readonly<Record<string, string>> {
    const node = this.node(key);
    if (node && node.kind !== 'map') this.#findings.add('T1802', node, `\`${key}\` is a mapping`);
    const entries = node?.kind === 'map' ? [...node.entries] : [];
    return Object.fromEntries(
      entries.flatMap(([name, { value }]) => {
        if (value.kind === 'scalar') return [[name, value.text]];
        this.#findings.add('T1802', value, `an item of \`${key}\` is a text`);
        return [];
      }),
    );
  }

  flag(key: string): boolean | undefined {
    const text = this.text(key);
    if (text === undefined || text === 'true' || text === 'false')
      return text === undefined ? undefined : text === 'true';
    this.#findings.add('T1802', this.spot(key), `\`${key}\` is true or false, not \`${text}\``);
    return undefined;
  }

  list(key: string): readonly YamlNode[] | undefined {
    const node = this.node(key);
    if (node?.kind === 'list') return node.items;
    if (node) this.#findings.add('T1802', node, `\`${key}\` is a list`);
    return undefined;
  }

  texts(key: string): readonly string[] | undefined {
    return this.list(key)?.flatMap((item) => {
      if (item.kind === 'scalar') return [item.text];
      this.#findings.add('T1802', item, `\`${key}\` is a list of texts`);
      return [];
    });
  }
}
