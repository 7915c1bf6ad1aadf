import { scalarType } from '../../compiler/scalar-type.ts';
import type { YamlNode } from '../../compiler/yaml-node.ts';
import { JsonFault, JsonReader } from '../../model/json-reader.ts';
import { JsonNumber, type JsonObject, type JsonValue } from '../../model/json-value.ts';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** A YAML value as JSON. A number that JSON can spell keeps its spelling (`1767262502000000001` stays exact). */
export function toJson(node: YamlNode): JsonValue {
  if (node.kind === 'list') return node.items.map(toJson);
  if (node.kind === 'map') return new Map([...node.entries].map(([key, { value }]) => [key, toJson(value)]));
  const { type, value } = scalarType(node);
  if (type !== 'int' && type !== 'float') return typeof value === 'number' ? String(value) : value;
  return new JsonNumber(JSON_NUMBER.test(node.text) ? node.text : String(value));
}

/** Writes JSON on one line. Numbers are written as they were read. */
export function writeJson(value: JsonValue): string {
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Map) {
    return `{${[...(value as JsonObject)].map(([key, each]) => `${JSON.stringify(key)}:${writeJson(each)}`).join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(writeJson).join(',')}]` : JSON.stringify(value);
}

/** Reads a recorded alert, to change it for another case. Undefined unless it is a JSON object. */
export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value = new JsonReader(new TextDecoder().decode(bytes)).value(0);
    return value instanceof Map ? value : undefined;
  } catch (fault) {
    if (fault instanceof JsonFault) return undefined;
    throw fault;
  }
}

/** Another case's alert with changes: keys are replaced, those of `output_fields` one by one. */
export function changed(base: JsonObject, changes: JsonObject): JsonObject {
  const result = new Map(base);
  for (const [key, value] of changes) {
    const old = base.get(key);
    const merges = key === 'output_fields' && old instanceof Map && value instanceof Map;
    result.set(key, merges ? new Map([...(old as JsonObject), ...(value as JsonObject)]) : value);
  }
  return result;
}

/** An alert without some keys. `output_fields.KEY` names an output field. Undefined with the first name that is not there. */
export function removed(base: JsonObject, names: readonly string[]): { event: JsonObject } | { missing: string } {
  const event = new Map(base);
  const fields = event.get('output_fields');
  const ownFields = fields instanceof Map ? new Map(fields as JsonObject) : new Map<string, JsonValue>();
  for (const name of names) {
    const field = name.startsWith('output_fields.') ? name.slice('output_fields.'.length) : undefined;
    const there = field === undefined ? event.delete(name) : ownFields.delete(field);
    if (!there) return { missing: name };
  }
  if (fields instanceof Map && event.has('output_fields')) event.set('output_fields', ownFields);
  return { event };
}
