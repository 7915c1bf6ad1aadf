import { decodeParameters } from '../../model/decode-parameters.ts';
import { DoorError } from '../../model/door-error.ts';
import { type ParameterSchema, parameterFacts } from '../../model/parameters.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { expandParameters } from './expand-parameters.ts';
import { type Failure, failure } from './run-script.ts';
import type { Tokens } from './tokens.ts';

/** For parameters that take no values of an alert. */
export const noTokens = (): Tokens => new Map();

type Read = { readonly parameters: Readonly<Record<string, unknown>> };

/** Parameters as their schema makes them, with the contents of files and the tokens in them. */
export function readParameters(
  schema: ParameterSchema,
  given: unknown,
  tokens: () => Tokens,
  files: Readonly<Record<string, string>> = {},
): Read | Failure {
  const decoded = decodeParameters(schema, given as ParameterMap | null);
  if (!decoded.ok) return failure('refused', decoded.problems.map(({ message }) => message).join('\n'));
  return unlessRefused(() => ({ parameters: expandParameters(schema, { ...decoded.value, ...files }, tokens) }));
}

/** Secrets never enter the sandbox: what needs them gets a reference. */
export function withoutSecrets(schema: ParameterSchema, values: Readonly<Record<string, unknown>>) {
  const shown = Object.entries(values).filter(([name]) => {
    const field = schema.shape[name];
    return field === undefined || parameterFacts(field).secret !== true;
  });
  return Object.fromEntries(shown);
}

/** What a declaration makes of its parameters; a failure where it refuses them. */
export function unlessRefused<T>(make: () => T): T | Failure {
  try {
    return make();
  } catch (error) {
    return refusal(error);
  }
}

/** The failure that a door's error stands for. @throws all other errors */
export function refusal(error: unknown): Failure {
  if (!(error instanceof DoorError)) throw error;
  const { code, message, retryAfterMs } = error;
  return { ...failure(code, message), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}
