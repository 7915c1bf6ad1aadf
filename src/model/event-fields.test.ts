import { expect, test } from 'vitest';
import { decodeEvent } from './decode-event.ts';
import * as fields from './event-fields.ts';

function event(outputFields: string) {
  const decoded = decodeEvent(new TextEncoder().encode(`{"output_fields":${outputFields}}`));
  if (!decoded.ok) throw new Error('not an event');
  return decoded.event;
}

test('the first field that is a string or a number wins, an empty string included', () => {
  expect(fields.podName(event('{"ka.target.name":"t","k8s.pod.name":"p"}'))).toBe('p');
  expect(fields.podName(event('{"ka.target.name":"t","k8s.pod.name":null}'))).toBe('t');
  expect(fields.podName(event('{"ka.target.name":"t","k8s.pod.name":["p"]}'))).toBe('t');
  expect(fields.podName(event('{"ka.target.name":"t","k8s.pod.name":""}'))).toBe('');
  expect(fields.podName(event('{}'))).toBeUndefined();
  expect(fields.podName(event('null'))).toBeUndefined();
});

test('numbers are plain decimals', () => {
  expect(fields.remotePort(event('{"fd.sport":8080}'))).toBe('8080');
  expect(fields.remotePort(event('{"fd.rport":1e6,"fd.sport":1}'))).toBe('1000000');
});

test('each accessor reads its own fields', () => {
  const audited = event('{"ka.target.name":"n","ka.target.namespace":"s","ka.target.resource":"deployments"}');
  expect([fields.targetName(audited), fields.targetNamespace(audited), fields.targetResource(audited)]).toEqual([
    'n',
    's',
    'deployments',
  ]);
  expect(fields.namespace(audited)).toBe('s');
  const connection = event('{"fd.rip":"10.0.0.1","fd.sip":"10.0.0.2","fd.sproto":"tcp"}');
  expect(fields.remoteIp(connection)).toBe('10.0.0.1');
  expect(fields.remoteProtocol(connection)).toBe('tcp');
});
