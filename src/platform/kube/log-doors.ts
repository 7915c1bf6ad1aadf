import { ResponseContext, wrapHttpLibrary } from '@kubernetes/client-node';
import { DoorError } from '../../model/door-error.ts';
import { podNotFound } from '../../model/kube-names.ts';
import type { ContainerTarget } from '../../model/targets.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeDoorMeans, KubeDoors } from './kube-door-means.ts';
import { noAnswer, openExchange } from './kube-transport.ts';
import { spoolOf } from './spool-of.ts';
import { whenMissing } from './when-missing.ts';

/** UTF-16 units of logs that are no artifact. */
const LONGEST_TEXT = 60_000;

/** The doors to what containers log. */
export function logDoors({ open, spool }: KubeDoorMeans): Pick<KubeDoors, 'pods.logs' | 'pods.keepLogs'> {
  return {
    'pods.logs': async (container, tailLines, signal) => {
      const tail = new TextTail(LONGEST_TEXT);
      for await (const chunk of logsOf(open(), container, tailLines, signal)) tail.add(chunk);
      return tail.end();
    },
    'pods.keepLogs': async (container, tailLines, signal) => {
      const logs = logsOf(open(), container, tailLines, signal);
      const artifact = await spoolOf(spool).write('log', 'text/plain; charset=utf-8', logs);
      return { kind: 'artifact', ...artifact };
    },
  };
}

/** The bytes as they come, however many. @throws DoorError of code `busy` at the end of what may be a part of them */
async function* logsOf(
  client: KubeClient,
  container: ContainerTarget,
  tailLines: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let lines = 0;
  for await (const chunk of chunksOf(await openLogs(client, container, tailLines, signal))) {
    for (const byte of chunk) if (byte === LINE_FEED) lines += 1;
    yield chunk;
  }
  if (lines < tailLines) await checkNode(client, container, signal);
}

const LINE_FEED = 10;

/**
 * To the API server a node that it loses in the middle of a log is the end of the log. With all the lines that were asked for it is
 * whole; where there are fewer, a node that still answers was not lost.
 */
async function checkNode(client: KubeClient, container: ContainerTarget, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of chunksOf(await openLogs(client, container, 0, signal)));
  } catch (error) {
    // Whatever else became of the pod meanwhile, its node sent what there was.
    if (!(error instanceof DoorError && (error.code === 'busy' || error.code === 'unreachable'))) return;
    throw new DoorError('busy', `nobody knows whether all of the log came: ${error.message}`, { cause: error });
  }
}

async function* chunksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch(noAnswer);
      if (done) return;
      yield value;
    }
  } finally {
    // Ends the connection if nobody wants the rest.
    await chunks.return?.();
  }
}

async function openLogs(
  client: KubeClient,
  { name: container, pod }: ContainerTarget,
  tailLines: number,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { name, namespace } = pod;
  let body: AsyncIterable<Uint8Array> | undefined;
  // The client would read all of it into one text.
  const httpApi = wrapHttpLibrary({
    send: async (context) => {
      ({ body } = await openExchange(context, client.presence, { signal }));
      const empty = { text: async () => '', binary: async () => Buffer.alloc(0), stream: () => null };
      return new ResponseContext(200, { 'content-type': 'text/plain' }, empty);
    },
  });
  await client.apis.core
    .readNamespacedPodLog({ name, namespace, container, tailLines }, { httpApi })
    .catch(whenNodeLacksPod)
    .catch(whenMissing(() => podNotFound(pod)));
  return body ?? noAnswer(new Error('no body'));
}

/**
 * What the API server passes on from a node that has not learnt of the pod yet, or not again since it was restarted. Of a pod that
 * it does not know itself it says so by name.
 */
const NODE_LACKS_POD = /the server could not find the requested resource/;

function whenNodeLacksPod(error: unknown): never {
  const isNode = error instanceof DoorError && error.code === 'not-found' && NODE_LACKS_POD.test(error.message);
  throw isNode ? new DoorError('busy', `the node of the pod does not know of it: ${error.message}`) : error;
}

/** The end of a text that comes in pieces. */
class TextTail {
  readonly #longest: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #text = '';

  constructor(longest: number) {
    this.#longest = longest;
  }

  add(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (this.#text.length > 4 * this.#longest) this.#cut();
  }

  end(): string {
    this.#text += this.#decoder.decode();
    this.#cut();
    // The second half of a character alone would be none.
    return this.#text.replace(/^[\udc00-\udfff]/, '');
  }

  #cut(): void {
    this.#text = this.#text.slice(-this.#longest);
  }
}
