import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { makeFolder } from '../../platform/files/make-folder.ts';
import type { Environment, Settings } from '../settings/settings.ts';

const SYSTEM_FOLDER = '/var/lib/falco-talon';
const FILE = 'journal.db';

/**
 * The file of the journal: the setting `journal.path`, else in `/var/lib/falco-talon` where this process may write there,
 * else in the state folder of its user (XDG Base Directory). Makes the system's folder where it can, with mode 0700.
 */
export function journalPath(settings: Pick<Settings, 'journal'>, env: Environment): string {
  const { path: given } = settings.journal;
  if (given) return path.resolve(expandHome(given, env));
  if (isWritable(SYSTEM_FOLDER)) return path.join(SYSTEM_FOLDER, FILE);
  const home = env.XDG_STATE_HOME || path.join(env.HOME || homedir(), '.local/state');
  return path.join(home, 'falco-talon', FILE);
}

function expandHome(file: string, env: Environment): string {
  return /^~(?=\/|$)/.test(file) ? path.join(env.HOME || homedir(), file.slice(1)) : file;
}

function isWritable(folder: string): boolean {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
