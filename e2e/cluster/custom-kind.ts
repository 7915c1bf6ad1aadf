import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { KubeApi } from './kube-api.ts';
import { waitUntil } from './wait-until.ts';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly plural: string };
    readonly versions: readonly { readonly name: string }[];
  };
}

/** Makes the API server know a kind by its definition in `e2e/crds`, and waits until it serves it. */
export async function installKind(api: KubeApi, file: string): Promise<void> {
  const definition = parse(readFileSync(join(import.meta.dirname, '..', 'crds', file), 'utf8')) as Definition;
  await api.must('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
  const { group, names, versions } = definition.spec;
  const path = `/apis/${group}/${versions[0]?.name}/${names.plural}`;
  await waitUntil(`${path} to be served`, async () => (await api.call('GET', path)).status === 200);
}
