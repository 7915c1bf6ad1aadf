import { stringify } from 'yaml';
import type { Door } from '../../model/capability.ts';
import { rightsOf } from '../../model/rights.ts';
import { clusterRole } from '../cluster-role.ts';

/** One thing that somebody must allow, in the words of whoever allows it. */
export interface Permission {
  /** Who: `Kubernetes`, `AWS`, `Google Cloud`. */
  readonly by: string;
  readonly language: 'yaml' | 'json';
  readonly text: string;
}

/** What must be allowed for these doors: a ClusterRole, a policy of IAM, a role of Google Cloud. Only what they need. */
export function permissionsOf(uses: readonly Door[]): readonly Permission[] {
  const { kubernetes, aws, gcp } = rightsOf(uses);
  return [
    ...(kubernetes.length > 0 ? [{ by: 'Kubernetes', language: 'yaml' as const, text: clusterRole(kubernetes) }] : []),
    ...(aws.length > 0 ? [{ by: 'AWS', language: 'json' as const, text: iamPolicy(aws) }] : []),
    ...(gcp.length > 0 ? [{ by: 'Google Cloud', language: 'yaml' as const, text: gcpRole(gcp) }] : []),
  ];
}

/** All of it in one text. Undefined when nothing needs to be allowed. */
export function permissionsText(uses: readonly Door[]): string | undefined {
  const texts = permissionsOf(uses).map(({ text }) => text);
  return texts.length > 0 ? texts.join('\n') : undefined;
}

/** Whose resources it is about, whoever uses it knows: names of functions and buckets stand in rules. */
function iamPolicy(actions: readonly string[]): string {
  const statement = { Effect: 'Allow', Action: actions, Resource: '*' };
  return `${JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, null, 2)}\n`;
}

function gcpRole(permissions: readonly string[]): string {
  return stringify({ title: 'falco-talon', stage: 'GA', includedPermissions: permissions });
}
