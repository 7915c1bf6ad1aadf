import type { RequestOptions } from 'node:https';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type buildConnector, type Dispatcher, ProxyAgent } from 'undici';
import { DoorError } from '../../model/door-error.ts';

/** Milliseconds. An unreachable server and one that does not answer end a request, whatever the action's deadline is. */
const CONNECT_TIMEOUT = 5_000;
const ANSWER_TIMEOUT = 15_000;
const KEEP_ALIVE = 30_000;

export interface ConnectionLimits {
  /** Milliseconds until a request without an answer fails, if not 15,000. */
  readonly answerTimeout: number | undefined;
  /** Connections that stay open between alerts; more requests than that wait their turn. There is no limit of their rate. */
  readonly connections: number;
}

/**
 * Gives requests their credentials and the connections that belong to them. The connections are kept until certificates
 * change on disk; KubeConfig alone would make new ones for every request.
 */
export class Credentials {
  readonly #config: KubeConfig;
  readonly #limits: ConnectionLimits;
  #dispatcher: Dispatcher | undefined;
  #certificates = '';

  constructor(config: KubeConfig, limits: ConnectionLimits) {
    this.#config = config;
    this.#limits = limits;
  }

  getName(): string {
    return 'kubeconfig';
  }

  async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DoorError('unreachable', `no credentials for the Kubernetes API: ${reason}`, { cause: error });
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      // A token file may end with a newline.
      context.setHeaderParam(name, String(value).trim());
    }
    if (options.auth) {
      context.setHeaderParam('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
    }
    context.setHeaderParam('User-Agent', 'falco-talon');
    context.setDispatcher(this.#connect(options));
  }

  /** Ends idle connections, and the others when their requests are done. */
  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }

  /** Ends all connections at once. */
  async destroy(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  #connect({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): Dispatcher {
    const certificates = JSON.stringify([ca, cert, key].map(String));
    if (this.#dispatcher && certificates === this.#certificates) return this.#dispatcher;
    const options = this.#config.createDispatcherOptions(this.#config.getCurrentCluster(), {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(servername && { servername }),
    });
    void this.#dispatcher?.close();
    this.#certificates = certificates;
    this.#dispatcher = newDispatcher(options, this.#limits);
    return this.#dispatcher;
  }
}

function newDispatcher(
  options: ReturnType<KubeConfig['createDispatcherOptions']>,
  { connections, answerTimeout = ANSWER_TIMEOUT }: ConnectionLimits,
): Dispatcher {
  const limits = {
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    headersTimeout: answerTimeout,
    bodyTimeout: answerTimeout,
  };
  const connectWith = (tls: object) => ({ ...tls, timeout: CONNECT_TIMEOUT }) as buildConnector.BuildOptions;
  switch (options.type) {
    case 'none':
      return new Agent({ ...limits, connect: connectWith({}) });
    case 'agent':
      return new Agent({ ...limits, connect: connectWith(options.connect) });
    case 'proxy':
      return new ProxyAgent({ ...limits, uri: options.uri, requestTls: connectWith(options.requestTls) });
    case 'socks':
      throw new Error('a SOCKS proxy is refused when the kubeconfig is read');
  }
}
