import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';

/** Who calls: a client certificate, or a bearer token. */
export interface KubeCredentials {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** A Kubernetes object as far as the tests look into it. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
  /** `performance.now()` when the line arrived. */
  readonly at: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A call that the API server did not answer with 2xx. */
export class KubeApiError extends Error {
  readonly status: number;

  constructor(method: string, path: string, { status, body }: Answer) {
    super(`${method} ${path} was answered with ${status}: ${JSON.stringify(body)}`);
    this.status = status;
  }
}

/** A bare client of the API server for the tests, so that what they see does not come through the product's client. */
export class KubeApi {
  readonly #server: string;
  readonly #token: string | undefined;
  readonly #agent: Agent;

  constructor(server: string, { token, ...tls }: KubeCredentials) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ...tls });
  }

  /** Any call; the answer is given back whatever its status is. Rejects when there is no answer. */
  async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    const response = await this.#open(method, path, body, contentType);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response) text += chunk;
    const isJson = response.headers['content-type']?.startsWith('application/json');
    return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text };
  }

  /** A call that must succeed. */
  async must<T = KubeObject>(method: string, path: string, body?: unknown, contentType?: string): Promise<T> {
    const answer = await this.call(method, path, body, contentType);
    if (answer.status < 200 || answer.status > 299) throw new KubeApiError(method, path, answer);
    return answer.body as T;
  }

  /** The object, or undefined when there is none. */
  async find(path: string): Promise<KubeObject | undefined> {
    const answer = await this.call('GET', path);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw new KubeApiError('GET', path, answer);
    return answer.body as KubeObject;
  }

  /** The items of a list. */
  async list(path: string): Promise<readonly KubeObject[]> {
    return (await this.must<{ readonly items: readonly KubeObject[] }>('GET', path)).items;
  }

  mergePatch(path: string, patch: unknown): Promise<KubeObject> {
    return this.must('PATCH', path, patch, 'application/merge-patch+json');
  }

  /** Watches a collection from its present state on (existing objects come as ADDED); returns the way to end it. */
  async watch(path: string, onEvent: (event: WatchEvent) => void): Promise<() => void> {
    const response = await this.#open('GET', `${path}?watch=true`);
    if (response.statusCode !== 200) throw new Error(`watch of ${path} was answered with ${response.statusCode}`);
    response.on('error', () => undefined);
    createInterface({ input: response }).on('line', (line) => {
      const at = performance.now();
      onEvent({ ...(JSON.parse(line) as Omit<WatchEvent, 'at'>), at });
    });
    return () => response.destroy();
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (payload !== undefined) {
      headers['content-type'] = contentType;
      // Node sends the body of a DELETE without any length unless told it.
      headers['content-length'] = String(Buffer.byteLength(payload));
    }
    if (this.#token !== undefined) headers.authorization = `Bearer ${this.#token}`;
    return new Promise((resolve, reject) => {
      const outgoing = request(`${this.#server}${path}`, { method, headers, agent: this.#agent }, resolve);
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }
}
