import { readFileSync } from 'node:fs';

/** One request as the API server's audit log has it. */
export interface AuditRecord {
  readonly auditID: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestObject?: unknown;
  /** Such as `authorization.k8s.io/decision`: whether the rights allowed it. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Microseconds since 1970 in ISO 8601: of equal length, so that they sort as texts. */
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** The requests that name the namespace in their path, or any namespace when it is left out, oldest first. */
export function readAudit(file: string, namespace?: string): readonly AuditRecord[] {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      // The last line may be in the middle of being written.
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditRecord)
      .filter((record) => namespace === undefined || record.objectRef?.namespace === namespace)
  );
}

/** How often each verb was used on pods, such as `{ get: 1, patch: 1 }`. */
export function countVerbs(records: readonly AuditRecord[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { verb } of records) counts[verb] = (counts[verb] ?? 0) + 1;
  return counts;
}
