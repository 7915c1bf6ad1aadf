import type { RequiredFields } from '../../model/definition.ts';
import { FIELD_KEYS, fieldText, firstFieldText, namespace, podName, targetResource } from '../../model/event-fields.ts';
import type { FalcoEvent } from '../../model/falco-event.ts';
import { ipVersion } from '../../model/ip-address.ts';

type Check = (event: FalcoEvent) => string | undefined;

/** Audited objects that are in no namespace. */
const CLUSTER_SCOPED = ['namespaces', 'clusterroles'];

/** Falco Talon's texts, by the group of fields that they are about. */
const CHECKS = new Map<readonly string[], Check>([
  [FIELD_KEYS.podName, (event) => (podName(event) ? undefined : 'missing pod name')],
  [FIELD_KEYS.namespace, (event) => (namespace(event) ? undefined : 'missing namespace')],
  [FIELD_KEYS.targetResource, present('ka.target.resource', 'missing target resource (ka.target.resource)')],
  [FIELD_KEYS.targetName, present('ka.target.name', 'missing target name (ka.target.name)')],
  [
    FIELD_KEYS.targetNamespace,
    (event) =>
      CLUSTER_SCOPED.includes(targetResource(event) ?? '')
        ? undefined
        : present('ka.target.namespace', 'missing target namespace (ka.target.namespace)')(event),
  ],
  [FIELD_KEYS.remoteIp, wrongRemoteIp],
]);

/** The text for the first field that an actionner requires and the alert lacks, in the order of the declaration. */
export function missingField(requires: RequiredFields, event: FalcoEvent): string | undefined {
  for (const keys of requires) {
    const check =
      CHECKS.get(keys) ?? ((alert) => (firstFieldText(alert, keys) ? undefined : `missing ${keys.join(' or ')}`));
    const problem = check(event);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function present(key: string, problem: string): Check {
  return (event) => (fieldText(event, key) === undefined ? problem : undefined);
}

function wrongRemoteIp(event: FalcoEvent): string | undefined {
  const given = ['fd.sip', 'fd.rip'].filter((key) => (event.output_fields?.get(key) ?? null) !== null);
  if (given.length === 0) return 'missing IP field(s) (fd.sip or fd.rip)';
  const wrong = given.find((key) => ipVersion(fieldText(event, key) ?? '') === undefined);
  return wrong && `wrong value for ${wrong}`;
}
