// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how tokens are written
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellText } from './shell-text.ts';

describe('shellText', () => {
  it('sets the values that the text uses, and only those', () => {
    expect(
      shellText(
        'cat ${FD_NAME}',
        new Map([
          ['FD_NAME', '/etc/passwd'],
          ['RULE', 'r'],
        ]),
      ),
    ).toBe("FD_NAME='/etc/passwd'; cat ${FD_NAME}");
  });

  it.each([
    ['${FD_NAME}', 'a; id\n$(id) `id` \'x\' "y" \\'],
    ['$FD_NAME', 'two  words*'],
    ['${FALCO-TALON_RULE}', "it's"],
    ['${A-B_C}/${A_B_C}', 'x'],
  ])('lets the shell expand %s to the value as data', (text, value) => {
    const tokens = new Map([
      ['FD_NAME', value],
      ['FALCO-TALON_RULE', value],
      ['A-B_C', value],
      ['A_B_C', 'other'],
    ]);
    const expected = text === '${A-B_C}/${A_B_C}' ? 'x/other' : value;
    expect(run(shellText(`printf %s "${text}"`, tokens))).toBe(expected);
  });

  it('hands over any value unchanged', () => {
    const values = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(values, (texts) => {
        const safe = texts.map((text) => text.replaceAll('\0', ''));
        const tokens = new Map(safe.map((value, index) => [`V_${index}`, value]));
        const printed = run(
          shellText(
            safe
              .map((_, index) => `printf '%s\\1' "$V_${index}"`)
              .join(';')
              .replaceAll('\\1', '\\001'),
            tokens,
          ),
        );
        expect(printed).toBe(safe.map((value) => `${value}\u0001`).join(''));
      }),
      { numRuns: 20 },
    );
  });

  it('leaves the shell what is the shell’s', () => {
    const script =
      'set -- one two; lower=low; false; printf "%s " "$1" "$?" "$lower" "$(printf sub)" "${NOTHING:-default}" "${#FD_NAME}"';
    expect(run(shellText(script, new Map([['FD_NAME', 'abc']])))).toBe('one 1 low sub default 3 ');
  });

  it('unsets what the alert lacks, so that the surroundings do not supply it', () => {
    expect(run(shellText('printf "[%s]" "$FD_NAME"', new Map()), { FD_NAME: 'from the container' })).toBe('[]');
  });

  it('never touches variables that steer the shell', () => {
    const tokens = new Map([
      ['PATH', '/evil'],
      ['LD_PRELOAD', '/evil.so'],
      ['IFS', 'x'],
    ]);
    expect(shellText('echo $PATH ${LD_PRELOAD} $IFS $HOME', tokens)).toBe('echo $PATH ${LD_PRELOAD} $IFS $HOME');
  });

  it.each(['SRANDOM', 'HISTCMD', 'EPOCHSECONDS', 'COLUMNS', 'TMOUT', 'PGRP', 'BASH_COMPAT', 'LC_ALL'])(
    'leaves the shell %s, which some shells take for a number when it is set, or obey',
    (name) => {
      expect(shellText(`echo $${name}`, new Map([[name, 'a[$(id)]']]))).toBe(`echo $${name}`);
    },
  );

  it.each([
    'echo $(( $PROC_PID + 1 ))',
    '(( $PROC_PID > 1 ))',
    '[ "$PROC_PID" -gt 1 ]',
    '[[ "$PROC_PID" -eq 1 ]]',
    'echo $[ $PROC_PID ]',
    'a=(1 2); echo ${a[$PROC_PID]}',
    'echo ${HOME:$PROC_PID}',
    'echo ${!PROC_PID}',
    'test -v "$PROC_PID"',
    'printf -v "$PROC_PID" x',
    'declare -i n="$PROC_PID"',
    'typeset -i n=$PROC_PID',
    'let $PROC_PID',
    'read "$PROC_PID" </dev/null',
    'unset "$PROC_PID"',
    'export "$PROC_PID=1"',
  ])('refuses a value that would run something in: %s', (text) => {
    for (const value of ['a[$(id)]', 'a[`id`]', 'a[\n$\n(id)]', 'x[${y[$(id)]}]']) {
      expect(() => shellText(text, new Map([['PROC_PID', value]]))).toThrow(
        "the value of the token 'PROC_PID' could run a program where a shell takes it for a number",
      );
    }
    expect(shellText(text, new Map([['PROC_PID', '12']]))).toContain("PROC_PID='12'");
  });

  it('takes the same value where it is only text', () => {
    const value = 'a[$(id)]';
    expect(run(shellText('printf %s "$PROC_PID"', new Map([['PROC_PID', value]])))).toBe(value);
  });

  it('is quick with a text of many openings', () => {
    const text = '${'.repeat(100_000);
    const start = performance.now();
    expect(shellText(text, new Map())).toBe(text);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('keeps a token that is no identifier apart from the identifier that looks like it', () => {
    const tokens = new Map([['FALCO-TALON_RULE', 'R']]);
    expect(run(shellText('printf "[$FALCO_TALON_RULE][${FALCO-TALON_RULE}]"', tokens))).toBe('[][R]');
  });

  it('gives tokens that are no identifiers variables of their own', () => {
    const tokens = new Map([
      ['A-B', '1'],
      ['A/B', '2'],
      ['A_B', '3'],
    ]);
    expect(run(shellText('printf "%s" "${A-B}${A/B}${A_B}${A-B}"', tokens))).toBe('1231');
  });
});

function run(script: string, env: Record<string, string> = {}): string {
  const result = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } });
  expect(result.stderr).toBe('');
  return result.stdout;
}
