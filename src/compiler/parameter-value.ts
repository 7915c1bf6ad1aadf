import type { ParameterMap, ParameterValue } from '../model/rule.ts';
import type { Parameters } from './blocks.ts';
import { scalarType } from './scalar-type.ts';
import type { Spot } from './source.ts';
import type { YamlNode } from './yaml-node.ts';

/** The plain value of a node. */
export function parameterValue(node: YamlNode): ParameterValue {
  switch (node.kind) {
    case 'scalar':
      return scalarType(node).value;
    case 'list':
      return node.items.map(parameterValue);
    case 'map':
      return toObject(node.entries);
  }
}

const known = new WeakMap<Parameters, ParameterMap>();

/** The plain values of parameters; null for none. The same parameters, as of a block that many actions use, give one object. */
export function parameterMap(parameters: Parameters | undefined): ParameterMap | null {
  if (!parameters) return null;
  const values = known.get(parameters) ?? toObject(parameters);
  known.set(parameters, values);
  return values;
}

/** Where a value inside parameters stands: the deepest node along the path. */
export function spotOfPath(parameters: Parameters, path: readonly (string | number)[]): Spot | undefined {
  const [name, ...inner] = path;
  let node = typeof name === 'string' ? parameters.get(name)?.value : undefined;
  for (const step of inner) {
    const next = node && childOf(node, step);
    if (!next) break;
    node = next;
  }
  return node;
}

function childOf(node: YamlNode, step: string | number): YamlNode | undefined {
  if (node.kind === 'list') return node.items[Number(step)];
  return node.kind === 'map' ? node.entries.get(String(step))?.value : undefined;
}

/** Own properties whatever the names are: `__proto__` is a name like any other. */
function toObject(entries: Parameters): ParameterMap {
  return Object.fromEntries([...entries].map(([name, { value }]) => [name, parameterValue(value)]));
}
