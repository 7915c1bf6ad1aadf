import type { MetricsPageOptions } from './metrics-renderer.ts';

/** The content type of Falco Talon's page. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/**
 * The page of `GET /metrics`: a function that renders the counters as they stand, and a few facts about the process. The
 * libraries behind it take 100 ms to load, so this happens with the first call. One page is rendered at a time, and all calls
 * that wait for their turn get the same one: it may be megabytes long, and a sender may ask for it a thousand times at once.
 */
export function createMetricsPage(options: MetricsPageOptions): () => Promise<string> {
  let render: Promise<() => Promise<string>> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<string> | undefined;
  const renderNow = async () => {
    waiting = undefined;
    render ??= import('./metrics-renderer.ts').then(({ createRenderer }) => createRenderer(options));
    return (await render)();
  };
  return () => {
    if (waiting) return waiting;
    waiting = last.then(renderNow);
    last = waiting.catch(() => undefined);
    return waiting;
  };
}
