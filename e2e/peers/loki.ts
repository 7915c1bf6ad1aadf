import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../cluster/free-port.ts';
import { componentPath } from '../components/catalog.ts';
import { answers, type Peer, startPeer } from './peer.ts';

/** The lines that share their labels. */
export interface LokiStream {
  readonly stream: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970, and the line. */
  readonly values: readonly (readonly [string, string])[];
}

/** Grafana's Loki as a single program. It knows tenants: whoever sends or asks must name one. */
export interface Loki extends Peer {
  /** The streams of the last hour that a LogQL query finds. */
  query(tenant: string, logql: string): Promise<readonly LokiStream[]>;
}

export interface LokiOptions {
  readonly port?: number;
}

export async function startLoki(options: LokiOptions = {}): Promise<Loki> {
  const port = options.port ?? (await freePort());
  const grpcPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { stop } = await startPeer({
    name: 'loki',
    url,
    command: (folder) => {
      const config = join(folder, 'config.yaml');
      // JSON is YAML.
      writeFileSync(config, JSON.stringify(configuration(folder, port, grpcPort)));
      return [componentPath('loki'), `-config.file=${config}`];
    },
    isReady: () => answers(`${url}/ready`),
  });
  return {
    url,
    stop,
    async query(tenant, logql) {
      const parameters = new URLSearchParams({ query: logql, since: '1h', limit: '1000' });
      const headers = { 'x-scope-orgid': tenant };
      const response = await fetch(`${url}/loki/api/v1/query_range?${parameters}`, { headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`${logql} was answered with ${response.status}: ${text}`);
      return (JSON.parse(text) as { readonly data: { readonly result: readonly LokiStream[] } }).data.result;
    },
  };
}

function configuration(folder: string, port: number, grpcPort: number): unknown {
  return {
    auth_enabled: true,
    server: {
      http_listen_address: '127.0.0.1',
      http_listen_port: port,
      grpc_listen_address: '127.0.0.1',
      grpc_listen_port: grpcPort,
      log_level: 'warn',
    },
    common: {
      instance_addr: '127.0.0.1',
      path_prefix: join(folder, 'data'),
      replication_factor: 1,
      ring: { kvstore: { store: 'inmemory' } },
      storage: { filesystem: { chunks_directory: join(folder, 'chunks'), rules_directory: join(folder, 'rules') } },
    },
    schema_config: {
      configs: [
        {
          from: '2024-01-01',
          store: 'tsdb',
          object_store: 'filesystem',
          schema: 'v13',
          index: { prefix: 'index_', period: '24h' },
        },
      ],
    },
    // Nobody else is to be waited for.
    ingester: { lifecycler: { min_ready_duration: '0s', final_sleep: '0s' } },
    analytics: { reporting_enabled: false },
  };
}
