import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type AuditRecord, readAudit } from './cluster/audit-log.ts';
import type { Cluster, PolicyRule } from './cluster/use-cluster.ts';
import { runTalon } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';

/** Somebody who has the rights of the ClusterRole that the program prints for some rules, and no others. */
export interface Granted {
  readonly rights: readonly PolicyRule[];
  /** The text of the kubeconfig file. */
  readonly kubeconfig: string;
  /** What was asked of the API server in this name, oldest first. */
  audit(): readonly AuditRecord[];
}

/** Makes such a user of that name, which must be new in the cluster. */
export async function grantedTo(cluster: Cluster, user: string, rules: string): Promise<Granted> {
  const { address, authority } = cluster.plane;
  const rights = await rightsFor(rules);
  const { cert, key } = authority.issue(user, { commonName: user });
  await cluster.allow({ kind: 'User', name: user }, rights);
  return {
    rights,
    kubeconfig: cluster.kubeconfig({ ca: address.admin.ca, cert, key }),
    audit: () => readAudit(address.auditLog).filter((record) => record.user.username === user),
  };
}

/** What was granted and never used, such as `patch pods`, and what was asked for and forbidden. Both are to be empty. */
export function misfits({ rights, audit }: Granted): { readonly unused: string[]; readonly forbidden: string[] } {
  const records = audit();
  const used = new Set(records.map(nameOf));
  const granted = rights.flatMap(({ resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
  );
  return {
    // Some API servers take the opening of a WebSocket, a GET, for the creation of an exec.
    unused: [...new Set(granted)].filter((right) => !used.has(right) && right !== 'create pods/exec'),
    forbidden: records
      .filter(({ annotations }) => annotations?.['authorization.k8s.io/decision'] === 'forbid')
      .map(nameOf),
  };
}

function nameOf({ verb, objectRef }: AuditRecord): string {
  const { resource = '', subresource } = objectRef ?? {};
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

/** The ClusterRole that the program prints for rules. */
async function rightsFor(rules: string): Promise<readonly PolicyRule[]> {
  const folder = makeScratch();
  try {
    writeFileSync(join(folder, 'rules.yaml'), rules);
    const { code, stdout, stderr } = await runTalon(folder, ['rbac', '-r', 'rules.yaml']);
    if (code !== 0) throw new Error(`talon rbac ended with ${code}: ${stderr}`);
    return (parse(stdout) as { readonly rules: readonly PolicyRule[] }).rules;
  } finally {
    removeScratch(folder);
  }
}
