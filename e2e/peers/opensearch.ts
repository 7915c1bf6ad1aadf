import { freePort } from '../cluster/free-port.ts';
import { openSearchCommand } from '../components/opensearch.ts';
import { answers, type Peer, startPeer } from './peer.ts';

/** A document that a search has found. */
export interface Hit {
  readonly _index: string;
  readonly _source: Readonly<Record<string, unknown>>;
}

/** An OpenSearch of one node, without passwords. */
export interface OpenSearch extends Peer {
  /** Calls its interface; throws when the answer is no success. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  /** The documents of an index pattern that the query finds, with all that was indexed so far. */
  search(index: string, query: unknown): Promise<readonly Hit[]>;
}

export async function startOpenSearch(): Promise<OpenSearch> {
  const [port, transportPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startPeer({
    name: 'opensearch',
    url,
    command: (folder) => [...openSearchCommand(), folder, String(port), String(transportPort)],
    isReady: () => answers(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`),
  });
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { method, ...init });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return {
    url,
    stop,
    call,
    async search(index, query) {
      await call('POST', `/${index}/_refresh`);
      const found = (await call('POST', `/${index}/_search?size=100`, { query })) as {
        readonly hits: { readonly hits: readonly Hit[] };
      };
      return found.hits.hits;
    },
  };
}
