import type { Counters } from './counters.ts';

/** The content type of Falco Talon's page. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

export interface MetricsPageOptions {
  readonly counters: Counters;
  /** Version of Talon, in the labels of every series. */
  readonly version: string;
  /** Revision of the rules that are served. */
  readonly revision: string;
}

/**
 * The page of `GET /metrics`: a function that renders the counters as they stand, and a few facts about the process. The
 * libraries behind it take 100 ms to load, so this happens with the first call.
 */
export function createMetricsPage(options: MetricsPageOptions): () => Promise<string> {
  let render: Promise<() => Promise<string>> | undefined;
  return async () => {
    render ??= import('./metrics-renderer.ts').then(({ createRenderer }) => createRenderer(options));
    return (await render)();
  };
}
