import type { Replicas } from './capability.ts';
import type { HealthThreshold } from './parameters.ts';

/**
 * Whether so few replicas are ready that none may be taken away. At exactly the threshold there are enough, although one less is
 * left then, as in Falco Talon. A percentage is of the wanted replicas, rounded up.
 */
export function tooFewReady(threshold: HealthThreshold, { wanted, ready }: Replicas): boolean {
  return 'count' in threshold ? ready < threshold.count : ready * 100 < threshold.percent * wanted;
}
