import process from 'node:process';
import type { Meter } from '@opentelemetry/api';
import { COUNTERS, type CounterName, type Counters, SERIES_LIMIT } from './counters.ts';

/** Falco Talon's scope: dashboards of its users select by it. */
const SCOPE = 'github.com/falcosecurity/falco-talon';
const PREFIX = 'falcosecurity_falco_talon_';

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
    render ??= createRenderer(options);
    return (await render)();
  };
}

async function createRenderer({ counters, version, revision }: MetricsPageOptions): Promise<() => Promise<string>> {
  const { MeterProvider } = await import('@opentelemetry/sdk-metrics');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const { PrometheusExporter, PrometheusSerializer } = await import('@opentelemetry/exporter-prometheus');
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'falco-talon', 'service.version': version }),
    readers: [reader],
    // Above our own limit, so that the overflow is always the one of our counters.
    views: [{ instrumentName: '*', aggregationCardinalityLimit: SERIES_LIMIT + 100 }],
  });
  const meter = provider.getMeter(SCOPE, version);
  observeCounters(meter, counters);
  observeProcess(meter, { version, revision, node: process.version });
  const serializer = new PrometheusSerializer();
  return async () => {
    const { resourceMetrics } = await reader.collect();
    return serializer.serialize(resourceMetrics);
  };
}

function observeCounters(meter: Meter, counters: Counters): void {
  for (const name of Object.keys(COUNTERS) as CounterName[]) {
    meter.createObservableCounter(PREFIX + name, { description: COUNTERS[name] }).addCallback((result) => {
      for (const { labels, value } of counters.series(name)) result.observe(value, labels);
    });
  }
}

function observeProcess(meter: Meter, build: Record<string, string>): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  meter
    .createObservableGauge(`${PREFIX}build_info`, { description: 'what is running, as labels' })
    .addCallback((result) => result.observe(1, build));
  meter
    .createObservableGauge('process_start_time_seconds', { description: 'start of the process, seconds since 1970' })
    .addCallback((result) => result.observe(startedAt));
  meter
    .createObservableGauge('process_resident_memory_bytes', { description: 'resident memory in bytes' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  meter
    .createObservableCounter('process_cpu_seconds', { description: 'user and system CPU time in seconds' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
}
