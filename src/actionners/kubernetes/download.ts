import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import type { Objects } from '../../model/outcome.ts';
import { requiredText } from '../../model/parameters.ts';
import type { ContainerRef } from '../../model/references.ts';
import { artifactName } from './artifact-name.ts';
import { inFirstContainer } from './first-container.ts';

/**
 * Copies a file out of the first container of the pod that has it. No shell looks at its path: the container needs `cat`, and
 * `test` to tell a file from a device without an end.
 */
export const download = defineActionner({
  id: 'kubernetes:download',
  description: 'Copy a file out of the pod',
  sources: ['syscalls'],
  continue: true,
  usesContext: true,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    file: requiredText('absolute path in the container; may use the fields of the alert, such as $FD_NAME', {
      expands: 'text',
    }),
  }),
  example: `- action: Keep the file
  actionner: kubernetes:download
  parameters:
    file: \${FD_NAME}
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: files
`,
  behaviour: {
    // To read it twice changes nothing.
    idempotent: true,
    uses: ['pods.containers', 'pods.exec', 'pods.capture'],
    deadline: 300,
    writes: () => ['pod'],
    async run({ parameters: { file }, targets, use }) {
      const pod = podOf(targets);
      const objects = { pod: pod.name, namespace: pod.namespace, file };
      checkPath(file, objects);
      const stored = { name: artifactName(file), mediaType: 'application/octet-stream' };
      const test = (container: ContainerRef, what: string) => use['pods.exec'](container, ['test', what, file], '');
      const containers = await use['pods.containers'](pod);
      const { artifact } = await inFirstContainer(containers, objects, async (container) => {
        const { code } = await test(container, '-f');
        // What is not there, `cat` says best, and where there is no `test` (126, 127) the limits of the spool hold.
        if (code === 1 && (await test(container, '-e')).code === 0) {
          return { code, stderr: `'${file}' is a directory or a device, not a regular file`, artifact: null };
        }
        const { stdout } = await use['pods.exec'](container, ['stat', '-L', '-c', '%s', file], '');
        for (let left = CAPTURES; ; left -= 1) {
          const captured = await use['pods.capture'](container, ['cat', '--', file], stored);
          const fault = faultOfSize(captured.artifact?.size, stdout);
          if (fault === undefined) return captured;
          if (left === 1) throw new DoorError('refused', `the file '${file}' ${fault}`, { objects });
        }
      });
      if (!artifact) throw new DoorError('refused', `the file '${file}' was not stored`, { objects });
      return { status: 'success', output: `the file '${file}' has been downloaded`, objects, artifact };
    },
  },
});

/** How often the file is read until it comes whole. A try of the action would only get the recorded part again. */
const CAPTURES = 3;

/**
 * A proxy before the API server may call a program successful that it lost in the middle: the size tells. Where there is no
 * `stat`, nothing does. A file may have grown meanwhile.
 */
function faultOfSize(size: number | undefined, wanted: string): string | undefined {
  const expected = /^\d+\n?$/.test(wanted) ? Number(wanted) : 0;
  return size === undefined || size >= expected ? undefined : `came only in part: ${size} of ${expected} bytes`;
}

/** Characters; Linux takes no longer path. */
const LONGEST_PATH = 4096;

/** Parts of the path may come from an alert. @throws DoorError of code `refused` */
function checkPath(file: string, objects: Objects): void {
  const fault = faultOf(file);
  if (fault === undefined) return;
  const shown = file.slice(0, 300).replaceAll('\0', '\ufffd');
  throw new DoorError('refused', `the path '${shown}' ${fault}`, { objects: { ...objects, file: shown } });
}

function faultOf(file: string): string | undefined {
  if (!file.startsWith('/')) return 'is not absolute';
  if (file.includes('\0')) return 'holds a NUL';
  if (file.length > LONGEST_PATH) return 'is too long';
  return file.split('/').includes('..') ? `holds '..'` : undefined;
}
