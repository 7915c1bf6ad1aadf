import type { ContextSources } from '../../model/context-sources.ts';
import type { Catalog } from '../../model/definition.ts';
import type { Adapters } from '../../model/door-row.ts';
import type { Journal, StoredPolicy } from '../../model/journal.ts';
import type { Redact } from '../../model/redact.ts';
import type { TargetLookups } from '../../model/target-facts.ts';
import type { Spool } from '../../platform/spool/spool.ts';
import type { Engine } from '../../runtime/engine/open-bundle.ts';
import type { Health } from '../../runtime/health.ts';
import type { PluginScripts } from '../../runtime/plugins/execute.ts';
import type { Settings } from '../settings/settings.ts';
import type { TelemetryOptions } from './server-log.ts';

/** What a server is put together from: all that is opened or read before it, and outlives it. */
export interface WiringOptions extends TelemetryOptions {
  readonly settings: Settings;
  readonly engine: Engine;
  readonly catalog: Catalog;
  readonly scripts: PluginScripts;
  readonly adapters: Adapters;
  readonly lookups: TargetLookups;
  /** Open; whoever opened it ends it, once the server is stopped. */
  readonly journal: Journal;
  readonly health: Health;
  /** Where artifacts wait for their output. */
  readonly spool?: Spool;
  /** Where actions get additional contexts from. */
  readonly contexts: ContextSources;
  /** Takes secrets out of what notifiers are told. */
  readonly redact?: Redact | undefined;
  /** Makes ready what the actions and guards of plans need that were made with rules of before. It reports what it cannot. */
  readonly prepare?: (policy: StoredPolicy) => Promise<void>;
  readonly version: string;
}
