import { readFileSync } from 'node:fs';
import path from 'node:path';

/** A request as a sender puts it on the wire (README.md of this folder). */
export interface SenderRequest {
  readonly id: string;
  readonly sender: 'falco' | 'falcosidekick';
  readonly note: string;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly status: number;
  /** Absent where the body is no alert. */
  readonly alert?: {
    readonly rule: string;
    readonly priority: string;
    readonly source: string;
    readonly output: string;
    readonly time: string;
    readonly hostname: string;
    readonly tags: readonly string[] | null;
    readonly output_fields: Readonly<Record<string, string>> | null;
  };
}

/** All recorded kinds of requests. */
export function senderRequests(): SenderRequest[] {
  const lines = readFileSync(path.join(import.meta.dirname, 'requests.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as SenderRequest);
}
