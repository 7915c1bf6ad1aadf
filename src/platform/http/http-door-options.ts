import type { ArtifactSpool } from '../../model/artifact-spool.ts';
import type { Resolve } from './address-rule.ts';
import type { SecretOf } from './request-headers.ts';

/** What the door to HTTP endpoints needs. */
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
