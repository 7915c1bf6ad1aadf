import { printRules } from '../compiler/print-rules.ts';
import { renderDiagnostics } from '../compiler/render-diagnostics.ts';
import { readRulesFiles } from './read-rules-files.ts';
import { logRules, settingsOrLine } from './server/rules-log.ts';
import type { CommandContext } from './talon-command.ts';
import { drawsColor } from './terminal.ts';

/**
 * `rules print`: the merged rules as YAML. As in Falco Talon, only what the structure of the rules forbids is an error:
 * an unknown actionner is printed. Refused files give log lines on stdout, drawn findings on stderr and exit code 1.
 */
export function rulesPrint(context: CommandContext): number {
  const { terminal } = context;
  const settings = settingsOrLine(context);
  if (!settings) return 1;
  const { text, records, diagnostics, sources } = printRules(readRulesFiles(settings.rulesFiles));
  if (text !== undefined) {
    terminal.out(text);
    return 0;
  }
  logRules(terminal, settings, false, records);
  terminal.err(renderDiagnostics(diagnostics, sources, 'text', { color: drawsColor(terminal, 'err') }));
  return 1;
}
