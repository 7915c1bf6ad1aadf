import type { Dispatcher } from 'undici';
import type { Invoked } from '../../model/capability.ts';
import { DoorError } from '../../model/door-error.ts';
import type { FunctionTarget } from '../../model/targets.ts';
import { traceParent } from '../trace-parent.ts';
import type { GoogleCredentials } from './google-credentials.ts';
import { askGoogle, sendToGoogle } from './google-request.ts';

/** Milliseconds for which the address of a function is not asked for again. */
const KNOWN_FOR = 60_000;

export interface FunctionMeans {
  readonly credentials: GoogleCredentials;
  readonly dispatcher: Dispatcher;
  /** URL of the API that knows the functions. */
  readonly endpoint: string;
}

/** Calls Cloud Run functions (second generation), and remembers for a moment where they are. */
export class CloudFunctions {
  readonly #means: FunctionMeans;
  readonly #known = new Map<string, { readonly uri: string; readonly until: number }>();

  constructor(means: FunctionMeans) {
    this.#means = means;
  }

  /**
   * Calls a function with the payload of its target, as the credentials of Talon. Its name was checked.
   *
   * @param seconds after which the answer is not waited for any more; 0 and less: no limit but the signal
   * @throws DoorError where no answer came
   */
  async call(called: FunctionTarget, seconds: number, signal: AbortSignal): Promise<Invoked> {
    const { credentials, dispatcher } = this.#means;
    const uri = await this.#address(called, signal);
    const authorization = await credentials.forService(uri, signal);
    const limit = limitedBy(signal, seconds);
    try {
      const traceparent = traceParent(called.traceId);
      const headers = { authorization, 'content-type': 'application/json', ...(traceparent && { traceparent }) };
      const sent = { method: 'POST', url: uri, headers, body: called.payload } as const;
      const { status, text } = await sendToGoogle(sent, dispatcher, limit.signal);
      if (status === 404) this.#known.delete(keyOf(called));
      return { status, body: text };
    } catch (error) {
      if (!limit.signal.aborted || signal.aborted) throw error;
      throw new DoorError('deadline', `no answer from the function within ${seconds} s`, { cause: error });
    } finally {
      limit.end();
    }
  }

  async #address(called: FunctionTarget, signal: AbortSignal): Promise<string> {
    const known = this.#known.get(keyOf(called));
    if (known && known.until > Date.now()) return known.uri;
    const { name, location } = called;
    const { credentials, dispatcher, endpoint } = this.#means;
    const path = `projects/${encodeURIComponent(credentials.project)}/locations/${location}/functions/${name}`;
    const headers = { authorization: await credentials.forApis(signal) };
    const { text } = await askGoogle({ method: 'GET', url: `${endpoint}/v2/${path}`, headers }, dispatcher, signal);
    const uri = uriOf(text);
    // Whoever answers there gets a token. Only a stand-in for the API may name another place.
    if (!uri || !(uri.startsWith('https://') || endpoint.startsWith('http://'))) {
      throw new DoorError('refused', 'function does not have a valid URL');
    }
    this.#known.set(keyOf(called), { uri, until: Date.now() + KNOWN_FOR });
    return uri;
  }
}

function keyOf({ location, name }: FunctionTarget): string {
  return `${location}/${name}`;
}

function uriOf(text: string): string | undefined {
  try {
    const { serviceConfig } = JSON.parse(text) as { readonly serviceConfig?: { readonly uri?: unknown } };
    const uri = serviceConfig?.uri;
    return typeof uri === 'string' && URL.canParse(uri) ? uri : undefined;
  } catch {
    return undefined;
  }
}

function limitedBy(outer: AbortSignal, seconds: number): { readonly signal: AbortSignal; readonly end: () => void } {
  if (seconds <= 0) return { signal: outer, end: () => undefined };
  const controller = new AbortController();
  const giveUp = () => controller.abort();
  if (outer.aborted) giveUp();
  outer.addEventListener('abort', giveUp, { once: true });
  const timer = setTimeout(giveUp, Math.min(seconds, 86_400) * 1000);
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', giveUp);
    },
  };
}
