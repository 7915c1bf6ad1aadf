import { parameterName } from '../model/decode-parameters.ts';
import { type ParameterSchema, parameterFacts } from '../model/parameters.ts';
import type { ParameterMap, ParameterValue } from '../model/rule.ts';
import type { Parameters } from './blocks.ts';
import { dateForm } from './date-form.ts';
import { scalarType } from './scalar-type.ts';
import type { Spot } from './source.ts';
import type { MapEntry, ScalarNode, YamlNode } from './yaml-node.ts';

/** The plain value of a node; a date is its RFC 3339 text. */
export function parameterValue(node: YamlNode): ParameterValue {
  switch (node.kind) {
    case 'scalar':
      return scalarValue(node);
    case 'list':
      return node.items.map(parameterValue);
    case 'map':
      return toObject(node.entries, parameterValue);
  }
}

function scalarValue(node: ScalarNode): ParameterValue {
  const { type, value } = scalarType(node);
  return type === 'date' ? (dateForm(node.text) ?? value) : value;
}

const known = new WeakMap<Parameters, ParameterMap>();
const knownSpelled = new WeakMap<ParameterSchema, WeakMap<Parameters, ParameterMap>>();

/** The plain values of parameters; null for none. The same parameters, as of a block that many actions use, give one object. */
export function parameterMap(parameters: Parameters | undefined): ParameterMap | null {
  if (!parameters) return null;
  const values = known.get(parameters) ?? toObject(parameters, parameterValue);
  known.set(parameters, values);
  return values;
}

/**
 * The plain values of parameters as a plug-in takes them: like {@link parameterMap}, but where it takes a map of texts, such
 * as labels, booleans and numbers are texts, and numbers keep their spelling (`1.10` is no `1.1`).
 */
export function spelledParameters(parameters: Parameters | undefined, schema: ParameterSchema): ParameterMap | null {
  if (!parameters || !takesSpelledMap(schema)) return parameterMap(parameters);
  const bySchema = knownSpelled.get(schema) ?? new WeakMap<Parameters, ParameterMap>();
  knownSpelled.set(schema, bySchema);
  const values =
    bySchema.get(parameters) ??
    toObject(parameters, (value, written) => {
      const name = parameterName(schema, written);
      const isSpelled = name !== undefined && isSpelledMap(schema, name);
      return isSpelled && value.kind === 'map' ? toObject(value.entries, spelledValue) : parameterValue(value);
    });
  bySchema.set(parameters, values);
  return values;
}

function takesSpelledMap(schema: ParameterSchema): boolean {
  return Object.keys(schema.shape).some((name) => isSpelledMap(schema, name));
}

/** Whether a parameter of a plug-in is a map of texts, such as labels. */
export function isSpelledMap(schema: ParameterSchema, name: string): boolean {
  const field = schema.shape[name];
  return field !== undefined && parameterFacts(field).spelled === true;
}

function spelledValue(node: YamlNode): ParameterValue {
  const { type, value } = node.kind === 'scalar' ? scalarType(node) : { type: node.kind, value: null };
  if (type === 'bool') return String(value);
  return node.kind === 'scalar' && (type === 'int' || type === 'float') ? node.text : parameterValue(node);
}

/** A value of a type that no plug-in takes. */
export interface UntakenValue {
  readonly path: readonly (string | number)[];
  readonly what: 'a date: put it in quotes' | 'no finite number';
}

/** Dates, and numbers such as `.inf`, in the parameters that a plug-in knows. Their texts would be taken for texts. */
export function untakenValues(parameters: Parameters, schema: ParameterSchema): readonly UntakenValue[] {
  const found: UntakenValue[] = [];
  const path: (string | number)[] = [];
  const visit = (node: YamlNode, step: string | number): void => {
    path.push(step);
    const what = node.kind === 'scalar' ? untakenType(node) : undefined;
    if (what !== undefined) found.push({ path: [...path], what });
    if (node.kind === 'list') for (const [index, item] of node.items.entries()) visit(item, index);
    if (node.kind === 'map') for (const [name, { value }] of node.entries) visit(value, name);
    path.pop();
  };
  for (const [name, { value }] of parameters) if (parameterName(schema, name) !== undefined) visit(value, name);
  return found;
}

function untakenType(node: ScalarNode): UntakenValue['what'] | undefined {
  const { type, value } = scalarType(node);
  if (type === 'date') return 'a date: put it in quotes';
  return type === 'float' && typeof value === 'string' ? 'no finite number' : undefined;
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
function toObject(
  entries: ReadonlyMap<string, MapEntry>,
  toValue: (node: YamlNode, name: string) => ParameterValue,
): ParameterMap {
  return Object.fromEntries([...entries].map(([name, { value }]) => [name, toValue(value, name)]));
}
