import * as z from 'zod';
import { defineActionner, podOf } from '../src/model/definition.ts';

/**
 * What plug-ins must not be able to say. It is compiled with the settings of the plug-in folders (tsconfig.plugins.json) and
 * never run; each line that is expected to be an error is one that the compiler has to find.
 */
export const tries = defineActionner({
  id: 'test:tries',
  description: 'for the compiler',
  sources: [],
  continue: true,
  usesContext: false,
  artifact: 'none',
  requires: [],
  parameters: z.object({}),
  example: '',
  behaviour: {
    idempotent: true,
    uses: ['pods.label', 'nodes.ofPod'],
    deadline: 60,
    writes: () => [],
    async run({ targets, use }) {
      const pod = podOf(targets);
      await use['pods.label'](pod, { a: 'b', c: null });
      const node = await use['nodes.ofPod'](pod);
      // @ts-expect-error a door that is not listed
      await use['pods.delete'](pod, 0);
      // @ts-expect-error no such door
      await use['pods.patch'](pod, {});
      // @ts-expect-error a node where a pod is wanted
      await use['pods.label'](node, {});
      // @ts-expect-error a name where a reference is wanted
      await use['pods.label']({ name: 'web', namespace: 'shop' }, {});
      // @ts-expect-error a number is no label
      await use['pods.label'](pod, { a: 1 });
      // @ts-expect-error no process
      process.exit();
      // @ts-expect-error no Buffer
      Buffer.from('');
      // @ts-expect-error no network
      await fetch('http://127.0.0.1');
      // @ts-expect-error no timers: `sleep` is given
      setTimeout(() => undefined, 1);
      // @ts-expect-error no console
      console.log('');
      // @ts-expect-error no require
      require('node:fs');
      // @ts-expect-error no modules of Node
      await import('node:fs');
      // @ts-expect-error no performance
      performance.now();
      // @ts-expect-error no WebAssembly
      new WebAssembly.Module(new Uint8Array());
      return { status: 'success', output: '', objects: {} };
    },
  },
});

defineActionner({
  ...tries,
  behaviour: {
    idempotent: true,
    // @ts-expect-error no such door
    uses: ['pods.patch'],
    deadline: 60,
    writes: () => [],
    run: async () => ({ status: 'success', output: '', objects: {} }),
  },
});
