import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { requiredText, text } from '../../model/parameters.ts';
import { expandParameters } from './expand-parameters.ts';
import type { Tokens } from './tokens.ts';

const schema = z.object({
  plain: text(''),
  data: text('', { expands: 'text' }),
  nested: z.unknown().meta({ expands: 'text' }),
  folder: text('', { expands: 'folder' }),
  command: requiredText('', { expands: 'program' }),
  shell: text(''),
});
const tokens = (values: Record<string, string>) => (): Tokens => new Map(Object.entries(values));
const HOSTILE = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom("'", '"; id', '$(id)', '`id`', '../../..', '\n', '\0', `\${FD_NAME}`, '‮', '💥'),
);

describe('tokens in parameters', () => {
  it('stand only where the parameter takes some', () => {
    const given = { plain: '$FD_NAME', data: 'a $FD_NAME', nested: { deep: [`\${FD_NAME}`, 1, null] }, folder: '' };
    expect(expandParameters(schema, given, tokens({ FD_NAME: 'x' }))).toEqual({
      plain: '$FD_NAME',
      data: 'a x',
      nested: { deep: ['x', 1, null] },
      folder: '',
    });
  });

  it('are not asked for where no parameter takes any', () => {
    const none = () => {
      throw new Error('asked');
    };
    expect(expandParameters(schema, { plain: '$FD_NAME' }, none)).toEqual({ plain: '$FD_NAME' });
  });

  it('never lead out of the folder in which they stand', () => {
    fc.assert(
      fc.property(HOSTILE, (value) => {
        const { folder } = expandParameters(
          schema,
          { folder: `/data/\${K8S_NS_NAME}/x` },
          tokens({ K8S_NS_NAME: value }),
        );
        const [, data, name = '', last, ...more] = String(folder).split('/');
        expect([data, last, more]).toEqual(['data', 'x', []]);
        expect(['.', '..']).not.toContain(name);
        expect(name).toMatch(/^[A-Za-z0-9._-]*$/);
      }),
    );
  });

  it('reach a shell as they are, and never as code', () => {
    const values = fc.sample(HOSTILE, 60).map((value) => value.replaceAll('\0', ''));
    for (const value of values) {
      if (Buffer.from(value).toString() !== value) continue;
      const given = { command: 'printf %s "$FD_NAME"', shell: '/bin/sh' };
      const { command } = expandParameters(schema, given, tokens({ FD_NAME: value }));
      expect(spawnSync('/bin/sh', ['-c', String(command)], { encoding: 'utf8' }).stdout).toBe(value);
    }
  });

  it('do not reach another interpreter unless they mean nothing to it', () => {
    const given = { command: `print("\${FD_NAME}")`, shell: '/usr/bin/python3' };
    expect(expandParameters(schema, given, tokens({ FD_NAME: '/etc/x-1' }))).toMatchObject({
      command: 'print("/etc/x-1")',
    });
    expect(() => expandParameters(schema, given, tokens({ FD_NAME: '"); import os' }))).toThrow(
      "the value of the token 'FD_NAME' holds characters",
    );
  });
});
