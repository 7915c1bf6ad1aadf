import type { Labels } from './counters.ts';

/** What can go up and down, by short names, with the help texts that stand on the metrics page. */
export const GAUGES = {
  pending_events: 'number of matched events that wait or are being handled',
  running_plans: 'number of events whose actions run at the moment',
  pending_notifications: 'number of notifications that wait for their notifier or are being sent',
  degraded: '1 for each part that does not work as it should',
  breaker_open: '1 while an API does not answer and actions wait for it',
} as const;

export type GaugeName = keyof typeof GAUGES;

/** One value of a gauge as it stands. */
export type GaugeValue = readonly [GaugeName, number, Labels?];
