import type { Parameters } from './blocks.ts';
import type { YamlNode } from './yaml-node.ts';

/** How many values parameters have, those of lists and maps inside them included. */
export function countValues(parameters: Parameters | undefined): number {
  let count = 0;
  for (const { value } of parameters?.values() ?? []) count += countNode(value);
  return count;
}

function countNode(node: YamlNode): number {
  if (node.kind === 'list') return node.items.reduce((sum, item) => sum + countNode(item), 1);
  if (node.kind === 'map') return [...node.entries.values()].reduce((sum, { value }) => sum + countNode(value), 1);
  return 1;
}
