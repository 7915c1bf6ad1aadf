import { describe, expect, it } from 'vitest';
import { decodeEvent } from './decode-event.ts';
import { eventJson, eventTime } from './event-json.ts';

describe('eventJson', () => {
  it('has all keys in order, also of the empty event', () => {
    expect(json('{}')).toBe(
      '{"trace_id":"t","output":"","priority":"","rule":"","hostname":"","time":"0001-01-01T00:00:00Z",' +
        '"source":"syscall","output_fields":null,"context":null,"tags":null}',
    );
  });

  it('sorts keys by bytes, keeps the spelling of numbers and escapes what Go escapes', () => {
    const body =
      '{"tags":["a<b>&c",1.0,null,[]],"output_fields":{"z":-0.0,"é":"\\u2028\\b\\u0001","Z":{"b":1e400,"a":{}},"proc":123456789012345678901}}';
    expect(json(body)).toContain(
      '"output_fields":{"Z":{"a":{},"b":1e400},"proc":123456789012345678901,"z":-0.0,"é":"\\u2028\\b\\u0001"},' +
        '"context":null,"tags":["a\\u003cb\\u003e\\u0026c",1.0,null,[]]}',
    );
  });

  it('shows the context in the order of its keys', () => {
    const event = decodeEvent(Buffer.from('{"output":"o"}'));
    if (!event.ok) return expect.unreachable();
    const context = new Map([
      ['falco-talon.rule', 'R'],
      ['falco-talon.action', 'A'],
    ]);
    expect(eventJson(event.event, '', context)).toContain(
      '"context":{"falco-talon.action":"A","falco-talon.rule":"R"}',
    );
  });

  it('writes a list as long as an alert may hold', () => {
    const tags = `[${'0,'.repeat(500_000)}0]`;
    expect(json(`{"tags":${tags}}`)).toContain(`"tags":${tags}}`);
  });

  it('writes what nests as deep as an alert may', () => {
    const depth = 9_000;
    const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(json(`{"tags":${nested}}`)).toContain(`"tags":${nested}}`);
  });
});

describe('eventTime', () => {
  it.each([
    ['', '0001-01-01T00:00:00Z'],
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00.500Z', '2026-03-01T10:00:00.5Z'],
    ['2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00.12345678987Z', '2026-03-01T10:00:00.123456789Z'],
    ['2026-03-01T10:00:00,25Z', '2026-03-01T10:00:00.25Z'],
    ['2026-03-01T8:00:00+00:00', '2026-03-01T08:00:00Z'],
    ['2026-03-01T10:00:00-00:00', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00.10+02:30', '2026-03-01T10:00:00.1+02:30'],
    ['2026-03-01T10:00:00-00:60', '2026-03-01T10:00:00-01:00'],
    ['2026-03-01T10:00:00+09:60', '2026-03-01T10:00:00+10:00'],
  ])('writes %j as %j', (time, written) => expect(eventTime(time)).toBe(written));
});

function json(body: string): string {
  const decoded = decodeEvent(Buffer.from(body));
  if (!decoded.ok) throw new Error(`error ${decoded.code}`);
  return eventJson(decoded.event, 't', null);
}
