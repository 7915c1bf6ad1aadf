import type { DoorError } from '../../model/door-error.ts';
import type { AdaptersOf } from '../../model/door-row.ts';
import type { EndpointAddress } from '../../model/targets.ts';
import { OnceOpened } from '../once-opened.ts';
import { checkUrl, createAddressRule } from './address-rule.ts';
import type { HttpDoorOptions } from './http-door-options.ts';
import { requestHeaders } from './request-headers.ts';
import { requestUrl } from './request-url.ts';

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
