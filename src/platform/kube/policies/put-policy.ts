import { setTimeout as sleep } from 'node:timers/promises';
import type { PolicyChange } from '../../../model/capability.ts';
import { DoorError } from '../../../model/door-error.ts';
import type { WorkloadTarget } from '../../../model/targets.ts';
import type { KubeClient, ObjectName } from '../kube-client.ts';
import { KubeRefusal } from '../kube-refusal.ts';
import {
  editPolicy,
  isManaged,
  isSamePolicy,
  type PolicyEdit,
  type PolicyKind,
  type PolicyObject,
  policyText,
} from './network-policy.ts';
import { unserved } from './policy-presence.ts';

/** The policy of a workload, and what is to become of it. */
export interface PolicyWork {
  readonly kind: PolicyKind;
  readonly workload: WorkloadTarget;
  readonly edit: PolicyEdit;
}

const TRIES = 5;
/** Milliseconds to wait at most after the first conflict; twice as long after each further one. */
const LONGEST_WAIT = 50;

/**
 * Makes or changes the policy of a workload: read, edit, write, and the same again when somebody else wrote meanwhile. Nothing is written
 * where nothing changes.
 *
 * @throws DoorError of code `conflict` after five tries; `refused` where the kind is not served, or the policies of both names that
 *   Talon would take are somebody else's
 */
export async function putPolicy(client: KubeClient, work: PolicyWork, signal: AbortSignal): Promise<PolicyChange> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await putOnce(requestsFor(client, work, signal), work);
    } catch (error) {
      if (!isRace(error) || attempt === TRIES - 1) throw error;
      await sleep(Math.random() * LONGEST_WAIT * 2 ** attempt, undefined, { signal });
    }
  }
}

async function putOnce(policies: PolicyRequests, { kind, workload, edit }: PolicyWork): Promise<PolicyChange> {
  const { namespace } = workload;
  const names = [workload.name, `${workload.name}-falco-talon`];
  for (const name of names) {
    const found = await policies.find(name);
    if (found && !isManaged(found)) continue;
    const wanted = editPolicy(kind, workload, name, found, edit);
    if (!found) {
      await policies.create(wanted);
      return { name, change: 'created' };
    }
    if (!isSamePolicy(found, wanted)) await policies.replace(wanted);
    return { name, change: 'updated' };
  }
  const both = names.map((name) => policyText(kind, { name, namespace })).join(' and ');
  throw new DoorError('refused', `${both} are not managed by falco-talon`);
}

/** The requests for the policies of a kind in a namespace. */
interface PolicyRequests {
  readonly find: (name: string) => Promise<PolicyObject | undefined>;
  readonly create: (policy: PolicyObject) => Promise<unknown>;
  /** Only as long as nobody changed the policy since it was found. */
  readonly replace: (policy: PolicyObject) => Promise<unknown>;
}

/** Unknown fields are refused, and not silently left out: a policy without them would protect nobody. */
const WRITING = { fieldManager: 'falco-talon', fieldValidation: 'Strict' };

function requestsFor(
  { apis: { custom }, sent }: KubeClient,
  { kind, workload: { namespace } }: PolicyWork,
  signal: AbortSignal,
): PolicyRequests {
  const { group, version, plural } = kind;
  const place = { group, version, plural, namespace };
  const options = sent(signal);
  const unserved = whenUnserved(kind);
  return {
    find: (name) =>
      custom
        .getNamespacedCustomObject({ ...place, name }, options)
        .catch(unserved)
        .catch(absent),
    create: (body) => custom.createNamespacedCustomObject({ ...place, ...WRITING, body }, options).catch(unserved),
    replace: (body) => {
      const named: ObjectName = body.metadata;
      const request = { ...place, ...WRITING, name: named.name, body };
      return custom.replaceNamespacedCustomObject(request, options).catch(unserved);
    },
  };
}

/** An API server that does not know the kind says 404 of everything there, but names no object that it did not find. */
function whenUnserved(kind: PolicyKind) {
  return (error: unknown): never => {
    const isUnserved = error instanceof KubeRefusal && error.status === 404 && error.code !== 'not-found';
    if (!isUnserved) throw error;
    throw new DoorError('refused', unserved(kind));
  };
}

function absent(error: unknown): undefined {
  if (!(error instanceof DoorError && error.code === 'not-found')) throw error;
}

/** Changed since it was read, gone since, or made since by somebody else. */
function isRace(error: unknown): boolean {
  return (
    error instanceof KubeRefusal && (error.code === 'conflict' || error.code === 'not-found' || error.status === 409)
  );
}
