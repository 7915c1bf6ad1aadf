import { freePort } from '../cluster/free-port.ts';
import { componentPath } from '../components/catalog.ts';
import { bodyDigest } from './body-digest.ts';
import { answers, type Peer, startPeer } from './peer.ts';

/** An object with what the store says of it. */
export interface GcsObject {
  readonly name: string;
  readonly contentType?: string;
  readonly size: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** fake-gcs-server: Google Cloud Storage's JSON interface, without authorization. */
export interface FakeGcs extends Peer {
  makeBucket(name: string): Promise<void>;
  list(bucket: string): Promise<readonly GcsObject[]>;
  content(bucket: string, name: string): Promise<Buffer>;
  /** SHA-256 of the content, for objects too large to be held. */
  digest(bucket: string, name: string): Promise<string>;
}

export async function startFakeGcs(): Promise<FakeGcs> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const url = `http://${host}`;
  const { stop } = await startPeer({
    name: 'fake-gcs-server',
    url,
    command: (folder) => [
      ...[componentPath('fake-gcs-server'), '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
      ...['-backend', 'filesystem', '-filesystem-root', `${folder}/data`, '-external-url', url, '-public-host', host],
    ],
    isReady: () => answers(`${url}/_internal/healthcheck`),
  });
  const objects = (bucket: string) => `${url}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const media = (bucket: string, name: string) => must(`${objects(bucket)}/${encodeURIComponent(name)}?alt=media`);
  return {
    url,
    stop,
    async makeBucket(name) {
      const headers = { 'content-type': 'application/json' };
      await must(`${url}/storage/v1/b?project=e2e`, { method: 'POST', headers, body: JSON.stringify({ name }) });
    },
    async list(bucket) {
      const { items = [] } = (await (await must(objects(bucket))).json()) as { readonly items?: readonly GcsObject[] };
      return items;
    },
    content: async (bucket, name) => Buffer.from(await (await media(bucket, name)).arrayBuffer()),
    digest: async (bucket, name) => bodyDigest(await media(bucket, name)),
  };
}

async function must(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}: ${await response.text()}`);
  return response;
}
