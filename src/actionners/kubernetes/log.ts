import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { integer } from '../../model/parameters.ts';
import type { ArtifactRef, ContainerRef } from '../../model/references.ts';
import { noContainer } from './first-container.ts';

/** Fetches the last lines of the first container of the pod that logged anything. */
export const log = defineActionner({
  id: 'kubernetes:log',
  description: 'Fetch the last log lines of the pod',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  usesContext: false,
  artifact: 'optional',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    tail_lines: integer('how many lines to fetch from the end', { min: 0, fallback: 20 }),
  }),
  example: `- action: Keep the logs of the pod
  actionner: kubernetes:log
  parameters:
    tail_lines: 200
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: logs
`,
  behaviour: {
    idempotent: true,
    uses: ['pods.containers', 'pods.logs', 'pods.keepLogs'],
    deadline: 60,
    writes: () => [],
    async run({ parameters: { tail_lines }, targets, keeps, use }) {
      const pod = podOf(targets);
      const { name, namespace } = pod;
      const objects = { pod: name, namespace };
      const containers = await use['pods.containers'](pod);
      if (containers.length === 0) throw noContainer(objects);
      if (!keeps) {
        // Where there is no place for the logs, they are what is said.
        const output = await firstLogs(containers, (container) => use['pods.logs'](container, tail_lines));
        return { status: 'success', output, objects };
      }
      const artifact = await firstLogs(containers, (container) => use['pods.keepLogs'](container, tail_lines));
      const output = `the logs for the pod '${name}' in the namespace '${namespace}' has been downloaded`;
      return { status: 'success', output, objects, artifact };
    },
  },
});

/** The logs of the first container that has any, or else those of the last. A failure counts where nothing comes after it. */
async function firstLogs<T extends string | ArtifactRef>(
  containers: readonly ContainerRef[],
  fetch: (container: ContainerRef) => Promise<T>,
): Promise<T> {
  let last: { readonly logs: T } | { readonly error: unknown } = { error: new Error('no container') };
  for (const container of containers) {
    last = await fetch(container).then(
      (logs) => ({ logs }),
      (error: unknown) => ({ error }),
    );
    if ('logs' in last && !isEmpty(last.logs)) break;
  }
  if ('error' in last) throw last.error;
  return last.logs;
}

function isEmpty(logs: string | ArtifactRef): boolean {
  return (typeof logs === 'string' ? logs.length : logs.size) === 0;
}
