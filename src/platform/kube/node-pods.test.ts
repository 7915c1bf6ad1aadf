import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKubeAdapters } from './kube-adapters.ts';
import { failureOf, signal, useRecordedKube } from './recorded-kube.ts';
import { statusOf } from './recording-api.ts';

const recorded = useRecordedKube();

const node = { kind: 'node', name: 'node-1' } as const;
const FIRST = 'GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=250';

function metadata(name: string, more: object = {}) {
  return { metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, ...more } };
}
function ownedBy(kind: string) {
  return { ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'x', uid: 'o', controller: true }] };
}

/** Answers with these pages, each of which leads to the next. */
function answerWith(...pages: object[][]): void {
  for (const [index, items] of pages.entries()) {
    const more = index + 1 < pages.length ? { continue: `page ${index + 1}` } : {};
    const line = index === 0 ? FIRST : `GET /api/v1/pods?continue=page+${index}&${FIRST.split('?')[1]}`;
    recorded.api.answers.set(line, { status: 200, body: { kind: 'PodList', metadata: more, items } });
  }
}

const ask = () => recorded.kube.adapters['nodes.pods'](node, signal);

describe('nodes.pods', () => {
  it('tells the pods of a node, with what decides over them', async () => {
    answerWith([
      metadata('alone'),
      metadata('agent', ownedBy('DaemonSet')),
      metadata('web', ownedBy('ReplicaSet')),
      metadata('job', ownedBy('Job')),
      metadata('static', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ]);
    expect(await ask()).toEqual(
      (
        [
          ['alone', null, false],
          ['agent', 'DaemonSet', false],
          ['web', 'ReplicaSet', false],
          ['job', 'other', false],
          ['static', null, true],
        ] as const
      ).map(([name, ownerKind, mirror]) => ({
        pod: { kind: 'pod', namespace: 'shop', name, uid: `uid-of-${name}` },
        ownerKind,
        mirror,
        self: false,
      })),
    );
  });

  it('reads all pages', async () => {
    const names = Array.from({ length: 600 }, (_, number) => `web-${number}`);
    const pods = names.map((name) => metadata(name));
    answerWith(pods.slice(0, 250), pods.slice(250, 500), pods.slice(500));
    expect((await ask()).map(({ pod }) => pod.name)).toEqual(names);
    expect(recorded.api.seen).toHaveLength(3);
  });

  it('refuses to tell a part of very many', async () => {
    const page = Array.from({ length: 250 }, (_, number) => metadata(`web-${number}`));
    answerWith(page, page, page, page);
    expect(await ask()).toHaveLength(1000);
    answerWith(page, page, page, page, [metadata('one-more')], [metadata('never-read')]);
    expect(await failureOf(ask())).toMatchObject({
      code: 'refused',
      message: "more than 1000 pods run on the node 'node-1'",
    });
    expect(recorded.api.seen).toHaveLength(4 + 5);
  });

  it('is told in about 75 KB for 250 pods', async () => {
    answerWith(
      Array.from({ length: 250 }, (_, number) =>
        metadata(`a-deployment-of-usual-name-7d9c5b8f6d-${String(number).padStart(5, 'x')}`, {
          ...ownedBy('ReplicaSet'),
          namespace: 'a-namespace-of-usual-name',
          labels: { some: 'label' },
        }),
      ),
    );
    const refs = (await ask()).map(({ pod, ...facts }, ref) => {
      const { kind, name, namespace } = pod;
      return { pod: { kind, ref, name, namespace }, ...facts };
    });
    expect(JSON.stringify(refs).length).toBeLessThan(75_000);
  });

  it('fails as a whole when a page is missing', async () => {
    answerWith([metadata('one')], [metadata('two')]);
    recorded.api.answers.set([...recorded.api.answers.keys()][1]!, statusOf(410, 'Expired', 'too old'));
    expect(await failureOf(ask())).toMatchObject({ code: 'busy' });
  });

  it('knows the pod that Talon runs in', async () => {
    const folder = path.join(recorded.api.folder, 'account');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'namespace'), 'shop\n');
    const kubeconfig = recorded.api.kubeconfig('inside');
    const inside = createKubeAdapters({ kubeconfig, serviceAccountFolder: folder, podName: 'talon-0' });
    await inside.init();
    answerWith([metadata('talon-0'), metadata('talon-0', { namespace: 'other' }), metadata('talon-1')]);
    const pods = await inside.adapters['nodes.pods'](node, signal);
    expect(pods.map(({ self }) => self)).toEqual([true, false, false]);
    await inside.close();
  });
});
