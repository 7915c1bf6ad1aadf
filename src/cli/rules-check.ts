import { checkRules } from '../compiler/check-rules.ts';
import { renderDiagnostics } from '../compiler/render-diagnostics.ts';
import { faultDiagnostic } from './fault-diagnostic.ts';
import { catalog } from './plugins/catalog.ts';
import { Progress } from './progress.ts';
import { areLarge, readEmbeddedFile, readRulesFiles } from './read-rules-files.ts';
import { logPolicies, logRules, settingsOf, settingsOrLine } from './server/rules-log.ts';
import type { Settings } from './settings/settings.ts';
import type { CommandContext } from './talon-command.ts';
import { drawsColor } from './terminal.ts';

export interface RulesCheckFlags {
  readonly strictTalon?: boolean;
  readonly format: 'text' | 'json' | 'github';
}

/** The settings; or undefined, after saying in the format why there are none. */
function settingsOrFault(context: CommandContext, format: RulesCheckFlags['format']): Settings | undefined {
  if (format === 'text') return settingsOrLine(context);
  try {
    return settingsOf(context);
  } catch (error) {
    context.terminal.out(renderDiagnostics([faultDiagnostic(error)], [], format));
    return undefined;
  }
}

/**
 * `rules check`: on stdout the lines that Falco Talon logs, in the configured log format; on stderr every finding drawn at
 * its place. The formats json and github print the findings on stdout in place of the log lines. Ends with 1 if the
 * server would refuse the rules or the policies.
 */
export function rulesCheck(context: CommandContext, flags: RulesCheckFlags): number {
  const { terminal } = context;
  const settings = settingsOrFault(context, flags.format);
  if (!settings) return 1;
  const files = readRulesFiles(settings.rulesFiles);
  const progress = new Progress(terminal);
  progress.step('checking the rules', areLarge(files));
  const { rules, guards, records, diagnostics, sources } = checkRules(files, {
    catalog,
    readFile: readEmbeddedFile,
    strictTalon: flags.strictTalon ?? false,
    policies: readRulesFiles(settings.policiesFiles),
  });
  progress.done();
  if (flags.format === 'text') {
    logRules(terminal, settings, rules !== undefined, records);
    if (settings.policiesFiles.length > 0) logPolicies(terminal, settings, guards !== undefined);
    terminal.err(renderDiagnostics(diagnostics, sources, 'text', { color: drawsColor(terminal, 'err') }));
  } else {
    terminal.out(renderDiagnostics(diagnostics, sources, flags.format));
  }
  return rules && guards ? 0 : 1;
}
