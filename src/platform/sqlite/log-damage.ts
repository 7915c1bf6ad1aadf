import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { readLogFrames } from './log-frames.ts';
import { PAGE_SIZE } from './schema.ts';

/**
 * Whether a write-ahead log is damaged in the middle: then SQLite would take what is in front of the damage for all there is,
 * and forget in silence what was acknowledged behind it. A crash leaves at most one unfinished transaction at the end, because
 * each is on disk before the next one begins: two that are whole behind something that is not were acknowledged.
 */
export function isLogDamaged(log: string): boolean {
  const frames = readLogFrames(log);
  const damage = frames.findIndex(({ isGood }) => !isGood);
  if (damage < 0) return false;
  return frames.slice(damage).filter(({ isGood, isCommit }) => isGood && isCommit).length >= 2;
}

/**
 * Writes the good frames of a damaged log into a copy of the file that it belongs to, as far as transactions are whole.
 *
 * @returns how many pages have an older content than they should, since the frame with the latest one is damaged
 */
export function applyDamagedLog(log: string, copy: string): number {
  const frames = readLogFrames(log);
  const committed = frames.slice(0, frames.findLastIndex(({ isCommit, isGood }) => isCommit && isGood) + 1);
  const latest = new Map(committed.map((frame) => [frame.page, frame]));
  const file = openSync(copy, 'r+');
  for (const { page, content, isGood } of committed) {
    if (isGood) writeSync(file, content, 0, PAGE_SIZE, (page - 1) * PAGE_SIZE);
  }
  fsyncSync(file);
  closeSync(file);
  return [...latest.values()].filter(({ isGood }) => !isGood).length;
}
