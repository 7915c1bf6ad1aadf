// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how tokens are written
import { describe, expect, it } from 'vitest';
import { expandProgram, expandText } from './expand-text.ts';

const TOKENS = new Map([
  ['FD_NAME', '/tmp/a b; id'],
  ['PROC_PID', '4242'],
  ['FALCO-TALON_RULE', 'Capture'],
  ['RULE', '${PROC_PID} $PROC_PID'],
]);

describe('expandText', () => {
  it.each([
    ['/var/${FD_NAME}', '/var//tmp/a b; id'],
    ['$PROC_PID/status', '4242/status'],
    ['${FALCO-TALON_RULE}.log', 'Capture.log'],
    ['$FALCO-TALON_RULE', '-TALON_RULE'],
    ['${RULE}', '${PROC_PID} $PROC_PID'],
    ['[$PROC_NAME][${PROC_NAME}]', '[][]'],
    ['$lower ${lower} $1 $? $$ ${} ${PROC_PID $', '$lower ${lower} $1 $? $$ ${} ${PROC_PID $'],
    ['${PROC_PID:-x}', '${PROC_PID:-x}'],
    ['$(id) `id`', '$(id) `id`'],
    ['$PROC_PIDs', '$PROC_PIDs'],
  ])('expands %j to %j', (text, expanded) => expect(expandText(text, TOKENS)).toBe(expanded));
});

describe('expandProgram', () => {
  it('puts in values that are safe anywhere', () => {
    expect(expandProgram('print(${PROC_PID}, $UNKNOWN)', TOKENS)).toEqual({ ok: true, text: 'print(4242, )' });
  });

  it('refuses the others, naming the token', () => {
    expect(expandProgram('print("${FD_NAME}")', TOKENS)).toEqual({
      ok: false,
      error: "the value of the token 'FD_NAME' holds characters that are only safe in a shell of the Bourne family",
    });
  });
});
