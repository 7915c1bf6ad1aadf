import { existsSync, readFileSync } from 'node:fs';
import { PAGE_SIZE } from './schema.ts';

// The write-ahead log as SQLite writes it: a head, then frames, each with a new content of one page. A checksum runs through
// all of them, so that SQLite stops at the first that is not what was written. Layout: sqlite.org/fileformat2.html#walformat

const HEAD = 32;
const FRAME_HEAD = 24;
/** Marks a log whose checksums are taken over words in big-endian order; one less: little-endian. */
const BIG_ENDIAN_MAGIC = 0x377f0683;
const SALTS = { at: 16, inFrame: 8, length: 8 };
const SUMS = { at: 24, inFrame: 16 };

/** A frame of the log. */
export interface LogFrame {
  /** Number of the page, from 1. */
  readonly page: number;
  readonly content: Buffer;
  /** Whether a transaction ends with it. */
  readonly isCommit: boolean;
  /** Whether it is what was written. */
  readonly isGood: boolean;
}

/**
 * The frames since the log began anew the last time, also those behind a damaged one, which SQLite does not see. None where
 * there is no log.
 */
export function readLogFrames(file: string): LogFrame[] {
  const log = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const size = FRAME_HEAD + PAGE_SIZE;
  const count = Math.max(0, Math.floor((log.length - HEAD) / size));
  const frames = Array.from({ length: count }, (_, index) =>
    log.subarray(HEAD + index * size, HEAD + (index + 1) * size),
  );
  const isBigEndian = log.length >= HEAD && log.readUInt32BE(0) === BIG_ENDIAN_MAGIC;
  const isHeadGood =
    log.length >= HEAD && sumOf([0, 0], log.subarray(0, SUMS.at), isBigEndian).equals(sums(log, SUMS.at));
  const salts = isHeadGood ? saltsOf(log, SALTS.at) : firstSharedSalts(frames);
  // Frames with other salts are left over from before; unless some with the right ones follow.
  const last = frames.findLastIndex((frame) => salts !== undefined && saltsOf(frame, SALTS.inFrame).equals(salts));
  return frames.slice(0, last + 1).map((frame, index) => {
    const before = index === 0 ? log.subarray(SUMS.at, HEAD) : sums(frames[index - 1] as Buffer, SUMS.inFrame);
    const start = [before.readUInt32BE(0), before.readUInt32BE(4)] as const;
    const head = sumOf(start, frame.subarray(0, SALTS.inFrame), isBigEndian);
    const whole = sumOf([head.readUInt32BE(0), head.readUInt32BE(4)], frame.subarray(FRAME_HEAD), isBigEndian);
    const isRight =
      salts !== undefined && saltsOf(frame, SALTS.inFrame).equals(salts) && whole.equals(sums(frame, SUMS.inFrame));
    return {
      page: frame.readUInt32BE(0),
      content: frame.subarray(FRAME_HEAD),
      isCommit: frame.readUInt32BE(4) !== 0,
      // The first one cannot be told where the head is damaged.
      isGood: isRight && (index > 0 || isHeadGood),
    };
  });
}

/** Those that the frames carry, where the head is damaged and perhaps a frame behind it, too. */
function firstSharedSalts(frames: readonly Buffer[]): Buffer | undefined {
  const all = frames.map((frame) => saltsOf(frame, SALTS.inFrame));
  return all.find((salts, index) => all[index + 1]?.equals(salts));
}

function saltsOf(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at, at + SALTS.length);
}

function sums(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at, at + 8);
}

/** SQLite's checksum over whole pairs of words. */
function sumOf([first, second]: readonly [number, number], bytes: Buffer, isBigEndian: boolean): Buffer {
  let one = first;
  let two = second;
  for (let at = 0; at < bytes.length; at += 8) {
    one = (one + (isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + two) >>> 0;
    two = (two + (isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + one) >>> 0;
  }
  const sum = Buffer.alloc(8);
  sum.writeUInt32BE(one, 0);
  sum.writeUInt32BE(two, 4);
  return sum;
}
