/**
 * What a value of the language is: a text, a list of texts, free parameters, a mapping with the keys of a record, or a list
 * of such mappings.
 */
export type Shape = 'text' | 'texts' | 'parameters' | MapShape | readonly [MapShape];

export interface MapShape {
  readonly [key: string]: Shape;
}

export const OUTPUT: MapShape = { target: 'text', parameters: 'parameters' };

/** An action block, or an item of `actions`. */
export const ACTION: MapShape = {
  action: 'text',
  description: 'text',
  actionner: 'text',
  continue: 'text',
  ignore_errors: 'text',
  parameters: 'parameters',
  additional_contexts: 'texts',
  contexts: 'texts',
  output: OUTPUT,
};

export const MATCH: MapShape = {
  rules: 'texts',
  priority: 'text',
  source: 'text',
  tags: 'texts',
  output_fields: 'texts',
  condition: 'text',
};

export const RULE: MapShape = {
  rule: 'text',
  description: 'text',
  match: MATCH,
  continue: 'text',
  dry_run: 'text',
  notifiers: 'texts',
  actions: [ACTION],
};

/** Falco Talon reads each entry both as an action block and as a rule, and refuses a wrong kind in either. */
export const ENTRY: MapShape = { ...ACTION, ...RULE };

/** Stops an action. */
export const DENIAL: MapShape = { expression: 'text', message: 'text' };

export const BUDGET: MapShape = { max: 'text', window: 'text', per: 'texts' };

/** A guard policy. */
export const POLICY: MapShape = {
  policy: 'text',
  description: 'text',
  mode: 'text',
  actionners: 'texts',
  deny: [DENIAL],
  budgets: [BUDGET],
};
