import type { SettingKind } from './setting-leaves.ts';

/** A value of the wanted type, or what is wrong, in the words of the library that Falco Talon uses. */
export type Decoded = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...{ '1': true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ '0': false, f: false, F: false, FALSE: false, false: false, False: false, '': false },
};

/**
 * Converts a value of the configuration to the type of its setting as Falco Talon does: numbers and booleans from texts and
 * the other way round, a list from a text with commas or from a single value.
 *
 * @param path stands in the errors; values never do, since some are secret
 */
export function decodeWeakly(value: unknown, kind: SettingKind, path: string): Decoded {
  switch (kind) {
    case 'string':
      return decodeText(value, path);
    case 'int':
      return decodeInteger(value, path);
    case 'bool':
      return decodeBoolean(value, path);
    case 'list':
      return decodeList(value, path);
  }
}

function decodeText(value: unknown, path: string): Decoded {
  if (typeof value === 'string') return { ok: true, value };
  if (typeof value === 'number') return { ok: true, value: String(value) };
  if (typeof value === 'boolean') return { ok: true, value: value ? '1' : '0' };
  return unconvertible(value, 'string', path);
}

function decodeInteger(value: unknown, path: string): Decoded {
  if (typeof value === 'number') return { ok: true, value: Math.trunc(value) };
  if (typeof value === 'boolean') return { ok: true, value: value ? 1 : 0 };
  if (typeof value !== 'string') return unconvertible(value, 'int', path);
  if (value === '') return { ok: true, value: 0 };
  const digits = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)$/.exec(value);
  if (!digits) return unparsable('int', 'strconv.ParseInt', path);
  const [, sign, number = ''] = digits;
  // An octal number may be written without the `o` there.
  const magnitude = Number(/^0[0-7]+$/.test(number) ? `0o${number}` : number);
  return { ok: true, value: sign === '-' ? -magnitude : magnitude };
}

function decodeBoolean(value: unknown, path: string): Decoded {
  if (typeof value === 'boolean') return { ok: true, value };
  if (typeof value === 'number') return { ok: true, value: value !== 0 };
  if (typeof value !== 'string') return unconvertible(value, 'bool', path);
  const known = Object.hasOwn(BOOLEANS, value) ? BOOLEANS[value] : undefined;
  return known === undefined ? unparsable('bool', 'strconv.ParseBool', path) : { ok: true, value: known };
}

function decodeList(value: unknown, path: string): Decoded {
  if (typeof value === 'string') return { ok: true, value: value === '' ? [] : value.split(',') };
  const items = Array.isArray(value) ? value : [value];
  const texts: unknown[] = [];
  for (const [index, item] of items.entries()) {
    const text = decodeText(item, `${path}[${index}]`);
    if (!text.ok) return text;
    texts.push(text.value);
  }
  return { ok: true, value: texts };
}

function unconvertible(value: unknown, wanted: string, path: string): Decoded {
  const got = Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
  return { ok: false, error: `'${path}' expected type '${wanted}', got unconvertible type '${got}'` };
}

function unparsable(wanted: string, parser: string, path: string): Decoded {
  return { ok: false, error: `'${path}' cannot parse value as '${wanted}': ${parser}: invalid syntax` };
}
