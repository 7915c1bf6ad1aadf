import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { oneOf, textMap } from '../../model/parameters.ts';

/** Sets or removes labels of the alert's pod, or of the node that it runs on, in one request. */
export const label = defineActionner({
  id: 'kubernetes:label',
  description: 'Add, change or remove labels of the pod, or of the node that it runs on',
  sources: ['syscalls', 'k8s_audit'],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    labels: textMap('labels to set; an empty value removes the label', 'label'),
    level: oneOf('what gets the labels', ['pod', 'node'], 'pod'),
  }),
  example: `- action: Label the pod
  actionner: kubernetes:label
  parameters:
    level: pod
    labels:
      suspicious: "true"
`,
  behaviour: {
    idempotent: true,
    uses: ['pods.label', 'nodes.ofPod', 'nodes.label'],
    opens: ({ level }) => (level === 'node' ? ['nodes.ofPod', 'nodes.label'] : ['pods.label']),
    deadline: 60,
    writes: ({ level }) => [level],
    async run({ parameters: { labels, level }, targets, use }) {
      const pod = podOf(targets);
      const changes = Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, value || null]));
      if (level === 'node') {
        const node = await use['nodes.ofPod'](pod);
        await use['nodes.label'](node, changes);
        return { status: 'success', output: `the node '${node.name}' has been labeled`, objects: { node: node.name } };
      }
      await use['pods.label'](pod, changes);
      const { name, namespace } = pod;
      const output = `the pod '${name}' in the namespace '${namespace}' has been labeled`;
      return { status: 'success', output, objects: { pod: name, namespace } };
    },
  },
});
