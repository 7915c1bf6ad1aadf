import * as z from 'zod';
import type { Catalog } from '../../src/model/definition.ts';
import { type ParameterFacts, type ParameterSchema, parameterFacts } from '../../src/model/parameters.ts';
import { PRIORITIES } from '../../src/model/priority.ts';

/** A JSON Schema, or a part of one. */
type Schema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of rules files, for editors. It knows what can be seen in one entry alone: a block may complete an
 * action from elsewhere, so nothing is required of an action but its name. The compiler has the last word.
 */
export function rulesSchema(catalog: Catalog): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Rules of Talon',
    type: ['array', 'null'],
    items: {
      type: 'object',
      anyOf: [{ required: ['rule'] }, { required: ['action'] }],
      if: { required: ['rule'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: '#/definitions/rule' },
      else: { $ref: '#/definitions/action' },
    },
    definitions: {
      rule: rule(),
      match: match(),
      action: action(catalog),
      output: output(catalog),
      switch: { enum: [true, false, 'true', 'false', '', null] },
      text: { type: ['string', 'number', 'boolean', 'null'] },
      texts: { type: ['array', 'null'], items: { $ref: '#/definitions/text' } },
    },
  };
}

const TEXT = { $ref: '#/definitions/text' };
const TEXTS = { $ref: '#/definitions/texts' };
const DURATION = {
  type: ['string', 'number', 'null'],
  pattern: '^(\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|s|m|h))+)?$',
  examples: ['30s', '2m'],
};
const SWITCH = { $ref: '#/definitions/switch' };

function rule(): Schema {
  return {
    type: 'object',
    properties: {
      rule: { ...TEXT, description: 'name of the rule; blocks of one name are merged' },
      description: TEXT,
      match: { $ref: '#/definitions/match' },
      continue: { ...SWITCH, description: 'false: no later rule is looked at' },
      dry_run: { ...SWITCH, description: 'log what would be done and do nothing' },
      notifiers: { ...TEXTS, description: 'whom to tell, beside the default notifiers' },
      actions: { type: 'array', minItems: 1, items: { $ref: '#/definitions/action' } },
    },
    required: ['rule'],
  };
}

function match(): Schema {
  return {
    type: ['object', 'null'],
    description: 'all criteria must hold; one that is left out holds for every alert',
    properties: {
      rules: { ...TEXTS, description: 'names of Falco rules, any of them' },
      priority: { type: ['string', 'null'], pattern: priorityPattern(), examples: ['>=Warning', 'Critical'] },
      source: { ...TEXT, description: 'source of the alert, such as syscall or k8s_audit' },
      tags: { ...TEXTS, description: 'any of the items; within an item, all tags between the commas' },
      output_fields: { ...TEXTS, description: 'any of the items; within an item, all comparisons between the commas' },
      condition: { type: ['string', 'null'], description: 'a CEL expression over `event` (an extension)' },
    },
  };
}

/** Without regard to case, which patterns of JSON Schema cannot say. */
function priorityPattern(): string {
  const words = [...PRIORITIES.filter((name) => name !== ''), 'Info'].map((name) =>
    [...name].map((letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`).join(''),
  );
  return `^[<>]?=?(${words.join('|')})?$`;
}

function action(catalog: Catalog): Schema {
  const actionners = [...catalog.actionners.values()];
  const contexts = { type: ['array', 'null'], items: { enum: ['aws', 'k8snode', null] } };
  return {
    type: 'object',
    properties: {
      action: { ...TEXT, description: 'name of the action, and of the block that completes it' },
      actionner: { enum: [...catalog.actionners.keys(), '', null], description: 'what acts' },
      description: TEXT,
      parameters: { type: ['object', 'null'] },
      continue: { ...SWITCH, description: 'whether the next action of the rule runs' },
      ignore_errors: { ...SWITCH, description: 'go on after a failure' },
      additional_contexts: { ...contexts, description: 'facts to fetch for the actionner' },
      contexts,
      output: { $ref: '#/definitions/output' },
      timeout: { ...DURATION, description: 'time for one try of the action (an extension)' },
      retry: {
        type: ['object', 'null'],
        description: 'when the other side is busy (an extension)',
        properties: {
          attempts: {
            type: ['integer', 'string', 'null'],
            minimum: 1,
            maximum: 100,
            pattern: '^\\d*$',
            description: 'tries in all',
          },
          backoff: { ...DURATION, description: 'time before the second try, doubled for each one after it' },
        },
        additionalProperties: false,
      },
      on_interrupt: {
        enum: ['retry', 'fail', '', null],
        description: 'whether to act again when the server ended in the middle of it (an extension)',
      },
    },
    allOf: actionners.map(({ id, description, parameters }) =>
      branch('actionner', id, { parameters: { ...parametersSchema(parameters), description } }),
    ),
    required: ['action'],
  };
}

function output(catalog: Catalog): Schema {
  return {
    type: ['object', 'null'],
    properties: {
      target: { enum: [...catalog.outputs.keys(), '', null], description: 'where the file goes' },
      parameters: { type: ['object', 'null'] },
    },
    allOf: [...catalog.outputs.values()].map(({ id, description, parameters }) =>
      branch('target', id, { parameters: { ...parametersSchema(parameters), description } }),
    ),
  };
}

function branch(key: string, id: string, properties: Schema): Schema {
  const condition = { type: 'object', properties: { [key]: { const: id } }, required: [key] };
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  return { if: condition, then: { properties } };
}

/** The parameters of one plug-in, none of them required, with their other spellings. */
function parametersSchema(schema: ParameterSchema): Schema {
  const properties = Object.entries(schema.shape).flatMap(([name, field]) => {
    const { aliases = [] } = parameterFacts(field);
    const shape = fieldSchema(field);
    return [name, ...aliases].map((spelling) => [spelling, shape] as const);
  });
  return { type: ['object', 'null'], properties: Object.fromEntries(properties) };
}

/** What the building blocks note of a parameter, and no editor knows. */
const NOTES = [
  'aliases',
  'secret',
  'embeds',
  'expands',
  'spelled',
] as const satisfies readonly (keyof ParameterFacts)[];

function fieldSchema(field: z.core.$ZodType): Schema {
  const {
    $schema: _,
    minLength: __,
    ...schema
  } = z.toJSONSchema(field, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      for (const note of NOTES) delete jsonSchema[note];
      // The empty word stands for none.
      if (jsonSchema.enum) jsonSchema.enum = jsonSchema.enum.filter((word) => word !== '');
    },
  });
  const { default: value } = parameterFacts(field);
  const type = typeof schema.type === 'string' ? { type: [schema.type, 'null'] } : {};
  return { ...schema, ...type, ...(value === undefined || value === '' ? {} : { default: value }) };
}
