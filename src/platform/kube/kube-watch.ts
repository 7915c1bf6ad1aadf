import type { RequestContext } from '@kubernetes/client-node';
import type { ApiPresence } from './api-presence.ts';
import { KubeRefusal } from './kube-refusal.ts';
import { noAnswer, openExchange } from './kube-transport.ts';

/** One line of a watch, as far as anybody looks at it. */
export interface WatchedChange {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: {
    readonly metadata: { readonly name?: string; readonly uid?: string; readonly resourceVersion: string };
  };
}

/** Seconds after which the server ends a watch. */
const LONGEST_WATCH = 300;
/** Milliseconds. The server sends a bookmark about once a minute; a connection without any is dead. */
const SILENCE = 100_000;

/** Characters of one change. */
const LONGEST_LINE = 4 * 2 ** 20;

/** The names and UIDs of the objects are all that is asked for. */
const METADATA_ALONE = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

/**
 * Opens a watch of a collection.
 *
 * @param context the request for the collection, with its credentials
 * @param resourceVersion changes after it; empty: from the present state on, which comes as `ADDED`
 * @returns the changes. The iteration ends when the server ends the watch, and throws a DoorError when the connection breaks
 *   or the server says that the resource version is too old (KubeRefusal of status 410)
 */
export async function openWatch(
  context: RequestContext,
  resourceVersion: string,
  presence: ApiPresence,
  signal: AbortSignal,
): Promise<AsyncIterable<WatchedChange>> {
  const url = new URL(context.getUrl());
  url.searchParams.set('watch', 'true');
  url.searchParams.set('allowWatchBookmarks', 'true');
  url.searchParams.set('timeoutSeconds', String(LONGEST_WATCH));
  if (resourceVersion !== '') url.searchParams.set('resourceVersion', resourceVersion);
  context.setUrl(url.href);
  context.setHeaderParam('Accept', METADATA_ALONE);
  const { body } = await openExchange(context, presence, { signal, bodyTimeout: SILENCE });
  return changesOf(body);
}

async function* changesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<WatchedChange> {
  const decoder = new TextDecoder();
  let rest = '';
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await chunks.next().catch(noAnswer);
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) noAnswer(new Error(`a line of a watch has more than ${LONGEST_LINE} characters`));
    for (const line of lines) if (line !== '') yield readChange(line);
  }
}

function readChange(line: string): WatchedChange {
  const change = readJson(line) as WatchedChange | { readonly type: 'ERROR'; readonly object: { code?: number } };
  if (change.type === 'ERROR') throw new KubeRefusal(change.object.code ?? 500, JSON.stringify(change.object));
  return change;
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return noAnswer(error);
  }
}
