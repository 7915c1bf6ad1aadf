import * as z from 'zod';
import { defineNotifier } from '../model/definition.ts';

/** Notes what was done as a Kubernetes event on the pod. */
export const k8sevents = defineNotifier({
  id: 'k8sevents',
  description: 'Create a Kubernetes event on the pod that was acted on',
  settings: z.object({}),
  example: `default_notifiers:
  - k8sevents
`,
});
