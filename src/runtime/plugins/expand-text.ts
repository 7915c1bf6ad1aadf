import type { Tokens } from './tokens.ts';

/** `${anything}` or `$NAME`. */
const REFERENCE = /\$(?:\{([^}]{0,1000})\}|([A-Za-z0-9_]+))/g;
const TOKEN_SHAPE = /^[A-Z][A-Z0-9_-]*$/;

/**
 * A parameter that is plain data (a file name, a destination) with its tokens replaced. A name shaped like a token that the
 * alert lacks becomes empty; any other `$` stays. Values are not expanded again.
 */
export function expandText(text: string, tokens: Tokens): string {
  return replaceTokens(text, (name) => tokens.get(name));
}

/**
 * A program for something else than a shell of the Bourne family. Since values cannot be handed over as variables there,
 * only those that can mean nothing to any language are put in.
 */
export function expandProgram(
  text: string,
  tokens: Tokens,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string } {
  let unsafe: string | undefined;
  const expanded = replaceTokens(text, (name) => {
    const value = tokens.get(name);
    if (value !== undefined && !/^[A-Za-z0-9._/:@-]*$/.test(value)) unsafe ??= name;
    return value;
  });
  if (unsafe === undefined) return { ok: true, text: expanded };
  return {
    ok: false,
    error: `the value of the token '${unsafe}' holds characters that are only safe in a shell of the Bourne family`,
  };
}

function replaceTokens(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replace(REFERENCE, (reference, braced: string | undefined, plain: string | undefined) => {
    const name = braced ?? plain ?? '';
    return lookUp(name) ?? (TOKEN_SHAPE.test(name) ? '' : reference);
  });
}
