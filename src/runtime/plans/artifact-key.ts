import { createHash } from 'node:crypto';
import type { Objects } from '../../model/outcome.ts';

/** Bytes that file systems take for a name. */
const LONGEST_KEY = 255;
/** Hexadecimal digits that stand for what was cut off. */
const DIGEST = 12;

/**
 * The key under which an output keeps an artifact, in Falco Talon's form: `2024-09-05T14-52-10Z_default_web_tcpdump.pcap`. Always
 * in UTC, one name without folders, in letters, digits and `._-` only, and never longer than a file system allows: names of
 * files, pods and hosts come from whoever sends alerts.
 *
 * @param at when the artifact was stored; milliseconds since 1970
 * @param objects what the artifact is of
 * @param name the artifact's own
 */
export function artifactKey(at: Date | number, objects: Objects, name: string): string {
  const key = [timestamp(new Date(at)), ...ownersOf(objects), name].map(safeName).join('_');
  if (key.length <= LONGEST_KEY) return key;
  const digest = createHash('sha256').update(key).digest('hex').slice(0, DIGEST);
  // The end tells what kind of file it is.
  const end = `_${digest}_${safeName(name).slice(-32)}`;
  return key.slice(0, LONGEST_KEY - end.length) + end;
}

function ownersOf(objects: Objects): readonly string[] {
  const { namespace, pod, hostname } = objects;
  if (namespace && pod) return [namespace, pod];
  if (hostname) return [hostname];
  return Object.entries(objects)
    .filter(([key]) => key !== 'file')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value);
}

/** `2024-09-05T14-52-10Z` */
function timestamp(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`;
}

function safeName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/gu, '_');
}
