import path from 'node:path';
import { Spool } from '../platform/spool/spool.ts';
import { journalPath } from './journal/journal-path.ts';
import type { Environment, Settings } from './settings/settings.ts';

/** Opens the spool of the settings, by default in a folder beside the journal, and with that empties it. */
export function openSpool(settings: Settings, env: Environment): Promise<Spool> {
  const { path: given, max_bytes: maxBytes, min_free_bytes: minFreeBytes } = settings.spool;
  const folder = given === '' ? path.join(path.dirname(journalPath(settings, env)), 'spool') : path.resolve(given);
  return Spool.open({ folder, maxBytes, minFreeBytes });
}
