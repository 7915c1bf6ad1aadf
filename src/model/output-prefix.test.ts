import { expect, test } from 'vitest';
import { stripOutputPrefix } from './output-prefix.ts';

test.each([
  ['12:34:56.123456789: Warning Shell opened', 'Shell opened'],
  ['12:34:56.123456789: warning Shell opened', 'Shell opened'],
  ['12:34:56.123456789: Informational Shell opened', 'Shell opened'],
  ['12:34:56.123456789: Info Shell opened', 'Shell opened'],
  ['12:34:56.123456789: Info: x', ': x'],
  ['12:34:56.123456789: Alerting is off', '12:34:56.123456789: Alerting is off'],
  ['12:34:56.123456789: Alert_1', '12:34:56.123456789: Alert_1'],
  ['12:34:56.123456789: Alerté', '12:34:56.123456789: Alerté'],
  ['12:34:56.123456789: Error', ''],
  ['77:88:66.000000001: Notice Shell opened', 'Shell opened'],
  ['12:34:56.12345678: Warning x', '12:34:56.12345678: Warning x'],
  ['12:34:56.123456789:  Warning x', '12:34:56.123456789:  Warning x'],
  ['2024-09-05T12:34:56.123456789+0000: Warning Shell opened', 'Shell opened'],
  ['2024-09-05T12:34:56.123456789Z: Warning Shell opened', 'Shell opened'],
  ['at 12:34:56.123456789: Warning x', 'at 12:34:56.123456789: Warning x'],
  ['12:34:56.123456789: Warning  two spaces', ' two spaces'],
  ['  two spaces', ' two spaces'],
  ['', ''],
])('%j becomes %j', (output, stripped) => {
  expect(stripOutputPrefix(output)).toBe(stripped);
});
