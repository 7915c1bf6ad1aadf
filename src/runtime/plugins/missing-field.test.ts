import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../model/decode-event.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { missingField } from './missing-field.ts';

const POD = [FIELD_KEYS.podName, FIELD_KEYS.namespace];
const TARGET = [FIELD_KEYS.targetResource, FIELD_KEYS.targetName, FIELD_KEYS.targetNamespace];
const REMOTE = [...POD, FIELD_KEYS.remoteIp];

function eventWith(fields: object) {
  const decoded = decodeEvent(Buffer.from(JSON.stringify({ output_fields: fields })));
  if (!decoded.ok) throw new Error('not an alert');
  return decoded.event;
}

const pod = { 'k8s.pod.name': 'web', 'k8s.ns.name': 'shop' };
const role = { 'ka.target.resource': 'roles', 'ka.target.name': 'x' };

describe('missingField', () => {
  it.each<[string, readonly (readonly string[])[], object, string | undefined]>([
    ['nothing', POD, pod, undefined],
    ['no field at all', POD, {}, 'missing pod name'],
    ['the namespace', POD, { 'k8s.pod.name': 'web' }, 'missing namespace'],
    ['the pod', POD, { 'k8s.ns.name': 'shop' }, 'missing pod name'],
    ['an empty pod name', POD, { ...pod, 'k8s.pod.name': '' }, 'missing pod name'],
    ['a null pod name', POD, { ...pod, 'k8s.pod.name': null }, 'missing pod name'],
    ['an empty namespace', POD, { ...pod, 'k8s.ns.name': '' }, 'missing namespace'],
    ['nothing in an audit event', POD, { 'ka.target.name': 'web', 'ka.target.namespace': 'shop' }, undefined],
    [
      'an empty name that hides a full one',
      POD,
      { ...pod, 'k8s.pod.name': '', 'ka.target.name': 'web' },
      'missing pod name',
    ],
    ['nothing of the object', TARGET, { ...role, 'ka.target.namespace': 'shop' }, undefined],
    ['the resource', TARGET, { 'ka.target.name': 'x' }, 'missing target resource (ka.target.resource)'],
    ['the object', TARGET, { 'ka.target.resource': 'roles' }, 'missing target name (ka.target.name)'],
    ['its namespace', TARGET, role, 'missing target namespace (ka.target.namespace)'],
    ['the namespace of what has none', TARGET, { ...role, 'ka.target.resource': 'clusterroles' }, undefined],
    ['the namespace of a namespace', TARGET, { ...role, 'ka.target.resource': 'namespaces' }, undefined],
    ['no address', REMOTE, { ...pod, 'fd.rip': '203.0.113.7' }, undefined],
    ['any address', REMOTE, pod, 'missing IP field(s) (fd.sip or fd.rip)'],
    ['an address that is none', REMOTE, { ...pod, 'fd.sip': 'x' }, 'wrong value for fd.sip'],
    ['an address beside a good one', REMOTE, { ...pod, 'fd.sip': '::1', 'fd.rip': 7 }, 'wrong value for fd.rip'],
    ['the address before the pod', REMOTE, { 'fd.sip': 'x' }, 'missing pod name'],
    ['a field without a text of its own', [['a.b', 'c.d']], pod, 'missing a.b or c.d'],
    ['one of several', [['a.b', 'c.d']], { 'c.d': 1 }, undefined],
  ])('%s', (_, requires, fields, text) => expect(missingField(requires, eventWith(fields))).toBe(text));
});
