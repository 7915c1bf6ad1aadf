import type { Catalog } from '../../model/definition.ts';
import { actionners, notifiers, outputs } from './plugins.gen.ts';

/** Falco Talon lists its own in this order. All others come after them, sorted. */
const FIRST = [
  ...['terminate', 'label', 'annotation', 'networkpolicy', 'exec', 'script', 'log', 'delete', 'cordon', 'drain'].map(
    ofKube,
  ),
  ...['download', 'tcpdump', 'sysdig'].map(ofKube),
  ...['aws:lambda', 'gcp:function', 'calico:networkpolicy', 'cilium:networkpolicy'],
  ...['local:file', 'minio:s3', 'aws:s3', 'gcp:gcs'],
  ...['k8sevents', 'slack', 'smtp', 'webhook', 'loki', 'elasticsearch'],
];

function ofKube(name: string): string {
  return `kubernetes:${name}`;
}

/** All plug-ins, in the order in which lists show them. The only place that knows them. */
export const catalog: Catalog = {
  actionners: byId(actionners),
  outputs: byId(outputs),
  notifiers: byId(notifiers),
};

function byId<P extends { readonly id: string }>(plugins: readonly P[]): ReadonlyMap<string, P> {
  const sorted = [...plugins].sort((a, b) => rank(a.id) - rank(b.id) || (a.id < b.id ? -1 : 1));
  return new Map(sorted.map((plugin) => [plugin.id, plugin]));
}

function rank(id: string): number {
  const place = FIRST.indexOf(id);
  return place < 0 ? FIRST.length : place;
}
