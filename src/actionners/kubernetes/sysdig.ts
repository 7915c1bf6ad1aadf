import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import type { Objects } from '../../model/outcome.ts';
import { integer, oneOf, text } from '../../model/parameters.ts';

/** Seconds that the job lasts beyond the capture, for the file to come out. */
const TTL_MARGIN = 60;
/** Seconds for the job to run, and for the file to come out. */
const AROUND = 110;

/**
 * Called with the seconds, the bytes of each read and write, and a filter that may be empty. The file systems of the node are in
 * /host, where sysdig looks for the socket of the container runtime that it is told.
 */
const SCRIPT = `seconds=$1 bytes=$2 filter=$3
set --
for socket in containerd/containerd.sock crio/crio.sock k3s/containerd/containerd.sock cri-dockerd.sock; do
  if [ -S "/host/run/$socket" ]; then set -- --cri "/run/$socket"; break; fi
done
sysdig --modern-bpf "$@" -M "$seconds" -s "$bytes" -z -w /tmp/sysdig.scap.gz \${filter:+"$filter"} >&2 &&
exec cat /tmp/sysdig.scap.gz`;

/** How runtimes name a container. What is not so must not become part of a filter. */
const CONTAINER_ID = /^[0-9a-zA-Z]+$/;
/** Characters of it that sysdig knows. */
const KNOWN = 12;

/** Captures the system calls of the pod, or of the whole node that it runs on. */
export const sysdig = defineActionner({
  id: 'kubernetes:sysdig',
  description: 'Capture the system calls of the pod, or of its node',
  sources: ['syscalls', 'k8s_audit'],
  continue: false,
  usesContext: false,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    buffer_size: integer('bytes to keep of each read and write', { min: 128, fallback: 2048 }),
    duration: integer('seconds of the capture', { min: 1, max: 30, fallback: 5 }),
    image: text('image of the capturing job, with sysdig in it', { fallback: 'issif/sysdig:latest' }),
    scope: oneOf('whose system calls to capture', ['pod', 'node'], 'pod'),
  }),
  example: `- action: Capture the system calls
  actionner: kubernetes:sysdig
  parameters:
    duration: 10
    buffer_size: 1024
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: captures
`,
  behaviour: {
    // Another capture harms nobody.
    idempotent: true,
    uses: ['pods.containerIds', 'captures.onNode', 'pods.capture'],
    opens: ({ scope }) => [
      ...(scope === 'pod' ? (['pods.containerIds'] as const) : []),
      ...(['captures.onNode', 'pods.capture'] as const),
    ],
    deadline: 180,
    lasts: ({ duration }) => duration + AROUND,
    writes: () => ['pod'],
    async run({ parameters: { buffer_size, duration, image, scope }, targets, use }) {
      const pod = podOf(targets);
      const about = { pod: pod.name, namespace: pod.namespace };
      const filter = scope === 'pod' ? filterOf(await use['pods.containerIds'](pod), about) : '';
      const { container, job } = await use['captures.onNode'](pod, image, duration + TTL_MARGIN);
      const objects = { ...about, job };
      const program = ['sh', '-c', SCRIPT, 'sysdig', String(duration), String(buffer_size), filter];
      const file = { name: 'sysdig.scap.gz', mediaType: 'application/gzip' };
      const { code, stderr, artifact } = await use['pods.capture'](container, program, file);
      if (!artifact) throw new DoorError('refused', stderr.trim() || `sysdig ended with ${code}`, { objects });
      return { status: 'success', output: `a sysdig capture '${file.name}' has been created`, objects, artifact };
    },
  },
});

/** Without any container to be told by, the capture would be one of the whole node. */
function filterOf(containerIds: readonly string[], objects: Objects): string {
  const ids = containerIds.filter((id) => CONTAINER_ID.test(id)).map((id) => id.slice(0, KNOWN));
  if (ids.length === 0) throw new DoorError('refused', 'no container found', { objects });
  return `container.id in (${ids.join(',')})`;
}
