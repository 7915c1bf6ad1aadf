import type { Telemetry } from '../../model/transition.ts';
import { Notices } from '../../runtime/notices/notices.ts';
import type { Executor } from '../../runtime/plugins/execute.ts';
import type { WiringOptions } from './wiring-options.ts';

/** What tells the notifiers of the configuration. */
export function createNotices(
  { settings, catalog, journal, redact }: Pick<WiringOptions, 'settings' | 'catalog' | 'journal' | 'redact'>,
  executor: Executor,
  telemetry: Telemetry,
): Notices {
  const { attempts, max_pending: maxPending, max_per_minute: perMinute } = settings.notifications;
  return new Notices({
    ...{ executor, journal, telemetry, redact },
    notifiers: catalog.notifiers,
    settings: settings.notifiers,
    defaults: settings.default_notifiers,
    limits: { attempts, maxPending, perMinute },
    includeLogs: settings.notifications.include_logs,
    now: Date.now,
  });
}
