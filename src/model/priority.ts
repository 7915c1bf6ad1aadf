/** Falco's priorities from low to high; the number of a priority is its index. 0 stands for unknown or none. */
export const PRIORITIES = [
  '',
  'Debug',
  'Informational',
  'Notice',
  'Warning',
  'Error',
  'Critical',
  'Alert',
  'Emergency',
] as const;

const NUMBERS = new Map<string, number>([
  ...PRIORITIES.map((name, number): [string, number] => [name.toLowerCase(), number]),
  ['info', 2],
]);

/**
 * The number of a priority, in any case: 1 (Debug) to 8 (Emergency), 0 for anything else. `Info` is Falco's short
 * spelling of Informational.
 */
export function priorityNumber(name: string): number {
  return NUMBERS.get(name.toLowerCase()) ?? 0;
}

/** A set of priorities that accepts every event, those without a known priority included: bits 0 to 8. */
export const ANY_PRIORITY = 0b1_1111_1111;
