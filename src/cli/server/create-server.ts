import type { GaugeValue } from '../../platform/telemetry/gauges.ts';
import { createMetricsPage, METRICS_CONTENT_TYPE } from '../../platform/telemetry/metrics-page.ts';
import { entranceSettings } from '../../runtime/entrance/entrance-settings.ts';
import type { Health } from '../../runtime/health.ts';
import type { Intake } from '../../runtime/intake.ts';
import { Server } from '../../runtime/server.ts';
import type { Surroundings } from './create-pipeline.ts';
import type { WiringOptions } from './wiring-options.ts';

/** The HTTP server, with what its pages tell. It does not listen yet. */
export function createServer(
  { settings, counters, health, version }: WiringOptions,
  intake: Intake,
  surroundings: Surroundings,
): Server {
  const { policies, telemetry } = surroundings;
  return new Server({
    intake,
    telemetry,
    limits: { bodyBytes: settings.max_body_bytes, connections: settings.max_connections },
    metrics: {
      contentType: METRICS_CONTENT_TYPE,
      page: createMetricsPage({
        counters,
        gauges: () => gauges(surroundings, health),
        version,
        revision: () => policies.revision,
      }),
    },
    health,
    entrance: entranceSettings(settings),
  });
}

function gauges({ lanes, apis, notices }: Surroundings, health: Health): readonly GaugeValue[] {
  return [
    ['pending_events', lanes.size],
    ['running_plans', lanes.running],
    ...notices.pending().map(([notifier, waiting]) => ['pending_notifications', waiting, { notifier }] as const),
    ...health.status().degraded.map((line) => ['degraded', 1, { part: line.split(':', 1)[0] ?? '' }] as const),
    ...[...apis.states()].map(({ api, open }) => ['breaker_open', Number(open), { api }] as const),
  ];
}
