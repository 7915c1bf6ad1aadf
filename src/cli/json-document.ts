import { escapeJsonText } from '../platform/telemetry/log-line.ts';

/** A value as indented JSON, in which nothing that a terminal acts on is left but the line feeds between the lines. */
export function jsonDocument(value: unknown): string {
  const lines = JSON.stringify(value, null, 2).split('\n');
  return `${lines.map(escapeJsonText).join('\n')}\n`;
}
