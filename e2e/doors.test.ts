import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Door } from '../src/model/capability.ts';
import { DOORS, grants, LOOKUP_PRICES, type PodTarget } from '../src/model/doors.ts';
import { createKubeAdapters, type KubeAdapters } from '../src/platform/kube/kube-adapters.ts';
import { NODES } from './cluster/control-plane.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { makeScratch, removeScratch } from './scratch.ts';

const { signal } = new AbortController();

/** The rights that the price list names, and no others. */
const RIGHTS = grants(Object.keys(DOORS) as Door[], Object.values(LOOKUP_PRICES).flat());

describe('the doors of the Kubernetes adapters', () => {
  const cluster = useCluster();
  const folder = makeScratch('doors');
  let kube: KubeAdapters;

  beforeAll(async () => {
    const user = { kind: 'User', name: 'talon' } as const;
    const rules = RIGHTS.map(({ group, resource, verbs }) => ({ apiGroups: [group], resources: [resource], verbs }));
    await cluster.allow(user, rules);
    writeFileSync(join(folder, 'kubeconfig'), cluster.kubeconfig());
    kube = createKubeAdapters({ kubeconfig: join(folder, 'kubeconfig') });
    await kube.init();
  });
  afterAll(async () => {
    await kube?.close();
    removeScratch(folder);
  });

  function target({ metadata: { name, namespace = '', uid } }: KubeObject): PodTarget {
    return { kind: 'pod', namespace, name, uid };
  }

  it('probe', async () => {
    const namespace = await cluster.namespace('probe');
    const pod = target(await namespace.pod('web'));
    const answers: string[] = [];
    let over = false;
    const ask = (async () => {
      while (!over) {
        const at = performance.now();
        const answer = await kube.adapters['pods.label'](pod, { a: 'b' }, signal).then(
          () => 'ok',
          (error) => `${error.code}: ${error.message}`.slice(0, 200),
        );
        if (answers.at(-1) !== answer) answers.push(answer);
        await sleep(Math.max(0, 5 - (performance.now() - at)));
      }
    })();
    for (let i = 0; i < 3; i++) {
      await sleep(300);
      await cluster.plane.stopApiServer();
      await sleep(1000);
      await cluster.plane.startApiServer();
    }
    await sleep(1000);
    over = true;
    await ask;
    console.log(answers);
  });
});
