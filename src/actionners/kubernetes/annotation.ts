import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { oneOf, textMap } from '../../model/parameters.ts';

/** Sets or removes annotations of the alert's pod, or of the node that it runs on, in one request. */
export const annotation = defineActionner({
  id: 'kubernetes:annotation',
  description: 'Add, change or remove annotations of the pod, or of the node that it runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    annotations: textMap('annotations to set; an empty value removes the annotation', 'annotation'),
    level: oneOf('what gets the annotations', ['pod', 'node'], 'pod'),
  }),
  example: `- action: Note the incident
  actionner: kubernetes:annotation
  parameters:
    level: pod
    annotations:
      example.org/incident: under investigation
`,
  behaviour: {
    idempotent: true,
    uses: ['pods.annotate', 'nodes.ofPod', 'nodes.annotate'],
    opens: ({ level }) => (level === 'node' ? ['nodes.ofPod', 'nodes.annotate'] : ['pods.annotate']),
    deadline: 60,
    writes: ({ level }) => [level],
    async run({ parameters: { annotations, level }, targets, use }) {
      const pod = podOf(targets);
      const changes = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value || null]));
      if (level === 'node') {
        const node = await use['nodes.ofPod'](pod);
        await use['nodes.annotate'](node, changes);
        // The odd word is Falco Talon's: dashboards may look for it.
        const output = `the node '${node.name}' has been annotationed`;
        return { status: 'success', output, objects: { node: node.name } };
      }
      await use['pods.annotate'](pod, changes);
      const { name, namespace } = pod;
      const output = `the pod '${name}' in the namespace '${namespace}' has been annotated`;
      return { status: 'success', output, objects: { pod: name, namespace } };
    },
  },
});
