import { didYouMean } from '../../compiler/suggest.ts';
import type { Notifier } from '../../model/definition.ts';
import { DOORS } from '../../model/doors.ts';
import type { Notice, NoticeStatus } from '../../model/notice.ts';
import type { Outcome } from '../../model/outcome.ts';
import { createRedactor } from '../../model/redact.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { sampleNotice } from '../../model/sample-notice.ts';
import { TalonError } from '../../model/talon-error.ts';
import { notifierProblem } from '../../runtime/notices/notices.ts';
import { createExecutor, type PluginScripts } from '../../runtime/plugins/execute.ts';
import { jsonDocument } from '../json-document.ts';
import { createPlatform, type Platform } from '../platform.ts';
import { secretValues } from '../settings/secret-values.ts';
import { secretVariables } from '../settings/secret-variables.ts';
import { loadSettings, type Settings } from '../settings/settings.ts';
import type { CommandContext } from '../talon-command.ts';
import { workerStart } from '../worker-file.ts';
import { catalog } from './catalog.ts';
import { pluginScripts } from './plugin-scripts.gen.ts';

export interface NotifiersTestFlags {
  readonly stage: Notice['message'];
  readonly status: NoticeStatus;
  readonly format: 'text' | 'json';
}

/**
 * `notifiers test`: sends one sample notice through the sandbox and the doors of the server. Ends with 1 if it was not taken,
 * and says why.
 *
 * @throws TalonError for a name that is none, and for settings that cannot be read
 */
export async function notifiersTest(
  { terminal, globals }: CommandContext,
  name: string,
  { stage, status, format }: NotifiersTestFlags,
  scripts: PluginScripts = pluginScripts,
): Promise<number> {
  const notifier = notifierOf(name);
  const settings = loadSettings({ configFile: globals.config, rulesFlags: [], env: terminal.env });
  const notice = sampleNotice(stage, status, terminal.now().toISOString());
  const platform = createPlatform(settings, terminal.env);
  const outcome = await sendOnce({ notifier, settings, notice, platform, scripts }).finally(() => platform.close());
  const secrets = [...secretValues(settings, catalog.notifiers), ...secretVariables(terminal.env)];
  const redact = createRedactor(secrets) ?? ((text) => text);
  const failed = outcome.status === 'failure' ? { code: outcome.code, error: redact(outcome.error) } : undefined;
  if (format === 'json') terminal.out(jsonDocument({ notifier: name, status: outcome.status, ...failed }));
  else if (failed) terminal.err(`Error: ${name} did not take the notice: ${failed.error}\n`);
  else terminal.out(`${name} took the notice\n`);
  return failed ? 1 : 0;
}

function notifierOf(name: string): Notifier {
  const notifier = catalog.notifiers.get(name);
  if (notifier) return notifier;
  const hint = didYouMean(name, catalog.notifiers.keys());
  throw new TalonError('usage', `unknown notifier '${name}'${hint ? `, ${hint}` : ''}`);
}

interface Sending {
  readonly notifier: Notifier;
  readonly settings: Settings;
  readonly notice: Notice;
  readonly platform: Platform;
  readonly scripts: PluginScripts;
}

async function sendOnce({ notifier, settings, notice, platform, scripts }: Sending): Promise<Outcome> {
  const problem = notifierProblem(notifier, settings.notifiers);
  if (problem !== undefined) return { status: 'failure', code: 'refused', error: problem, objects: {} };
  for (const api of new Set(notifier.behaviour.uses.map((door) => DOORS[door].api))) await platform.init.get(api)?.();
  const executor = createExecutor({ adapters: platform.adapters, scripts, worker: workerStart('sandbox') });
  try {
    const own = (settings.notifiers[notifier.id] ?? {}) as ParameterMap;
    return await executor.send({ notifier, settings: own, notice, first: true }, new AbortController().signal);
  } finally {
    await executor.end();
  }
}
