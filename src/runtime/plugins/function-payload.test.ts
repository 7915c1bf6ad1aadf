import { expect, it } from 'vitest';
import { alertOf } from './executor-fixture.ts';
import { functionPayload } from './function-payload.ts';

it('is the alert as Falco Talon sends it: all keys, in their order, digits kept', () => {
  const event = alertOf(
    '{"output":"a <b>","priority":"Notice","rule":"Shell","hostname":"n3","time":"2026-03-01T10:00:00.5Z",' +
      '"output_fields":{"z":1,"proc.pid":12345678901234567890},"tags":["shell"],"context":{"forged":"x"}}',
  );
  const payload = functionPayload(event, new Map([['falco-talon.rule', 'Ask']]), '0af7');
  expect(payload).toBe(
    '{"trace_id":"0af7","output":"a \\u003cb\\u003e","priority":"Notice","rule":"Shell","hostname":"n3",' +
      '"time":"2026-03-01T10:00:00.5Z","source":"syscall","output_fields":{"proc.pid":12345678901234567890,"z":1},' +
      '"context":{"falco-talon.rule":"Ask"},"tags":["shell"]}',
  );
});

it('has null for lists and maps, and a time in any case', () => {
  expect(JSON.parse(functionPayload(alertOf('{"rule":"x","output":"y"}'), new Map(), ''))).toMatchObject({
    time: '0001-01-01T00:00:00Z',
    output_fields: null,
    tags: null,
    context: {},
  });
});

it('hands on the chosen fields alone, and not the text that may repeat the others', () => {
  const event = alertOf(
    '{"rule":"x","output":"a secret of bob","output_fields":{"user.name":"bob","fd.name":"/tmp/x"}}',
  );
  expect(JSON.parse(functionPayload(event, new Map(), '', ['fd.name', 'proc.pid']))).toMatchObject({
    output: '',
    output_fields: { 'fd.name': '/tmp/x' },
  });
  expect(functionPayload(event, new Map(), '', [])).not.toContain('bob');
  expect(functionPayload(alertOf('{"rule":"x","output":"y"}'), new Map(), '', [])).toContain('"output_fields":null');
});
