import process from 'node:process';
import type { Meter } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { COUNTERS, type CounterName, type Counters, SERIES_LIMIT } from './counters.ts';
import { GAUGES, type GaugeName, type GaugeValue } from './gauges.ts';

/** What the page shows. */
export interface MetricsPageOptions {
  readonly counters: Counters;
  /** The gauges as they stand. */
  readonly gauges?: () => Iterable<GaugeValue>;
  /** Version of Talon, in the labels of every series. */
  readonly version: string;
  /** Revision of the rules that are served at the moment. */
  readonly revision: () => string;
}

/** Falco Talon's scope: dashboards of its users select by it. */
const SCOPE = 'github.com/falcosecurity/falco-talon';
const PREFIX = 'falcosecurity_falco_talon_';

/**
 * Renders the counters, the gauges and facts about the process through OpenTelemetry's Prometheus exporter. A module of its own with
 * static imports, because in a bundle the lazily imported packages themselves would show no named exports.
 */
export function createRenderer({ counters, gauges, version, revision }: MetricsPageOptions): () => Promise<string> {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'falco-talon', 'service.version': version }),
    readers: [reader],
    // Above our own limit, so that the overflow is always the one of our counters.
    views: [{ instrumentName: '*', aggregationCardinalityLimit: SERIES_LIMIT + 100 }],
  });
  const meter = provider.getMeter(SCOPE, version);
  observeCounters(meter, counters);
  if (gauges) observeGauges(meter, gauges);
  observeProcess(meter, () => ({ version, revision: revision(), node: process.version }));
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

function observeGauges(meter: Meter, gauges: () => Iterable<GaugeValue>): void {
  for (const name of Object.keys(GAUGES) as GaugeName[]) {
    meter.createObservableGauge(PREFIX + name, { description: GAUGES[name] }).addCallback((result) => {
      for (const [own, value, labels] of gauges()) if (own === name) result.observe(value, labels);
    });
  }
}

function observeProcess(meter: Meter, build: () => Record<string, string>): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  meter
    .createObservableGauge(`${PREFIX}build_info`, { description: 'what is running, as labels' })
    .addCallback((result) => result.observe(1, build()));
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
