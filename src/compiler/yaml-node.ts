import type { Spot } from './source.ts';

/** A text as it stands in the file. What type it is depends on where it stands, see {@link scalarType}. */
export interface ScalarNode extends Spot {
  readonly kind: 'scalar';
  /** Unquoted, with escapes and line folding resolved. */
  readonly text: string;
  /** Whether it stands without quotes, so that it may be a number, a boolean or null. */
  readonly plain: boolean;
  /** An explicit tag such as `!!int`, without its exclamation marks. */
  readonly tag?: string;
}

export interface ListNode extends Spot {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
}

/** A mapping: keys in their order, merge keys (`<<`) resolved. */
export interface MapNode extends Spot {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
}

export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: YamlNode;
}

/** A value of a rules file. Its place travels with it through all phases. Aliases share the node that they name. */
export type YamlNode = ScalarNode | ListNode | MapNode;
