import type { RulesRecord } from '../../model/diagnostic.ts';
import type { LogRecord } from '../../model/log-record.ts';
import { TalonError } from '../../model/talon-error.ts';
import { formatLogLine } from '../../platform/telemetry/log-line.ts';
import { fallbackLogFormat, loadSettings, type Settings } from '../settings/settings.ts';
import type { CommandContext } from '../talon-command.ts';
import type { Terminal } from '../terminal.ts';

/** The settings of a command. Throws a TalonError for a configuration that cannot be used. */
export function settingsOf({ terminal, globals }: CommandContext): Settings {
  const { config: configFile, rules: rulesFlags, policies: policiesFlags } = globals;
  return loadSettings({ configFile, rulesFlags, policiesFlags, env: terminal.env });
}

/** The settings; or undefined, after the line that Falco Talon logs about a configuration that it cannot use. */
export function settingsOrLine(context: CommandContext): Settings | undefined {
  const { terminal } = context;
  try {
    return settingsOf(context);
  } catch (error) {
    if (!(error instanceof TalonError && error.code === 'config')) throw error;
    const record: LogRecord = { level: 'fatal', message: 'config', fields: { error: error.message } };
    terminal.out(formatLogLine(record, fallbackLogFormat(terminal.env), terminal.now()));
    return undefined;
  }
}

/** Prints on stdout a line that sums up what was found about guard policies, which Falco Talon does not have. */
export function logPolicies(terminal: Terminal, settings: Settings, valid: boolean): void {
  const record: LogRecord = valid
    ? { level: 'info', message: 'policies', fields: { result: 'policies valid' } }
    : { level: 'fatal', message: 'policies', fields: { error: 'invalid policies' } };
  terminal.out(formatLogLine(record, settings.logFormat, terminal.now()));
}

/**
 * Prints on stdout what Falco Talon logs about rules: a line per error that it knows, and one that sums up. Valid rules
 * can have such errors, too: those that it only reports.
 */
export function logRules(
  terminal: Terminal,
  settings: Settings,
  valid: boolean,
  records: readonly RulesRecord[],
): void {
  const errors = records.map((fields): LogRecord => ({ level: 'error', message: 'rules', fields: { ...fields } }));
  const last: LogRecord = valid
    ? { level: 'info', message: 'rules', fields: { result: 'rules file valid' } }
    : { level: 'fatal', message: 'rules', fields: { error: 'invalid rules' } };
  for (const line of [...errors, last]) terminal.out(formatLogLine(line, settings.logFormat, terminal.now()));
}
