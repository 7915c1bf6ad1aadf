/**
 * What Falco puts before the text of a rule: time of day, or the whole time in ISO 8601, and the priority. The word must
 * end there, so that a text which starts with `Alerting` keeps it.
 */
const PREFIX =
  /^(?:\d\d:\d\d:\d\d\.\d{9}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:[+-]\d{4}|Z)): (?:Debug|Informational|Info|Notice|Warning|Error|Critical|Alert|Emergency)(?![\p{L}\p{N}_])/iu;

/**
 * The `output` of an alert without time and priority, and without one leading space: what repeated alerts have in common.
 * Falco Talon leaves prefixes in ISO 8601 in place and cuts longer words that start with a priority; this does neither.
 */
export function stripOutputPrefix(output: string): string {
  const rest = output.replace(PREFIX, '');
  return rest.startsWith(' ') ? rest.slice(1) : rest;
}
