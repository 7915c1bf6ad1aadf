import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { EndpointAddress } from '../../model/targets.ts';
import { OnceOpened } from '../once-opened.ts';
import { checkUrl, createAddressRule, type Resolve } from './address-rule.ts';
import { requestHeaders, type SecretOf } from './request-headers.ts';
import { requestUrl } from './request-url.ts';

export interface HttpDoorOptions {
  /** Where answers go that are kept; without one none can be. */
  readonly spool?: ArtifactSpool | undefined;
  /** Environment variables of the server, for headers that are secret. */
  readonly secretOf: SecretOf;
  /** Ports at which this server itself listens: nothing is sent there. */
  readonly ownPorts?: readonly number[];
  readonly proxies?: Proxies;
  /** How names of hosts are looked up, if not as the system does. */
  readonly resolve?: Resolve;
}

/** Proxies as environment variables name them. Empty or left out: none. */
export interface Proxies {
  readonly http?: string | undefined;
  readonly https?: string | undefined;
  /** Hosts for which none is used, separated by commas. */
  readonly none?: string | undefined;
}

/** The door to HTTP endpoints. */
export interface HttpDoors {
  readonly adapters: AdaptersOf<'http'>;
  /** Why no request can be sent there, as far as it shows without one: what it lacks, or an address that is never asked. */
  readonly problemOf: (endpoint: EndpointAddress) => string | undefined;
  /** Ends the connections. */
  readonly close: () => Promise<void>;
}

/**
 * The door to HTTP endpoints, with connections that are kept. A redirect is followed only where the request stays what it is
 * (307, 308) and goes to the same host, port and scheme; any other is an answer like others. What sends is loaded with the first
 * request.
 */
export function createHttpDoors(options: HttpDoorOptions): HttpDoors {
  const client = new OnceOpened(async () => (await import('./http-client.ts')).openHttpClient(options));
  const rule = createAddressRule(options.ownPorts ?? []);
  return {
    problemOf: (endpoint) => {
      try {
        const url = requestUrl(endpoint.url, undefined);
        requestHeaders(endpoint, {}, url, options.secretOf);
        checkUrl(rule, url);
        return undefined;
      } catch (error) {
        return (error as DoorError).message;
      }
    },
    adapters: { 'http.send': async (...given) => (await client.get()).send(...given) },
    close: async () => (await client.peek())?.close(),
  };
}
