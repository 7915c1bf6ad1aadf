import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type KeptProcess, lastLines, startKept } from '../cluster/kept-process.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { makeScratch, removeScratch } from '../scratch.ts';

/** A real program that the product talks to, on 127.0.0.1. */
export interface Peer {
  readonly url: string;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** What `startPeer` must know of a program. */
export interface PeerProgram {
  readonly name: string;
  readonly url: string;
  /** The command to run, given the folder that is the program's own. */
  readonly command: (folder: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers as it should. Rejecting counts as no. */
  readonly isReady: () => Promise<boolean>;
}

/** A started program and where it keeps its data. */
export interface StartedPeer extends Peer {
  readonly folder: string;
}

/** Starts a program and waits until it is ready. Throws with its last lines when it is not, or ends instead. */
export async function startPeer({ name, url, command, env = {}, isReady }: PeerProgram): Promise<StartedPeer> {
  const folder = makeScratch();
  const program = startKept(name, command(folder), {
    log: join(folder, `${name}.log`),
    cwd: folder,
    env: { HOME: folder, ...env },
  });
  const stop = async () => {
    await program.stop('KILL');
    removeScratch(folder);
  };
  try {
    await untilReady(program, isReady);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, folder, stop };
}

/** Has a peer for the test file that calls it. The returned function gives it inside of tests and hooks. */
export function usePeer<P extends Peer>(start: () => Promise<P>): () => P {
  let peer: P | undefined;
  beforeAll(async () => {
    peer = await start();
  });
  afterAll(() => peer?.stop());
  return () => {
    if (peer === undefined) throw new Error('the peer is not up yet: use it inside a test or a hook');
    return peer;
  };
}

/** Whether a GET is answered with 200. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status === 200;
}

async function untilReady(program: KeptProcess, isReady: () => Promise<boolean>): Promise<void> {
  const describe = () => `last lines of ${program.name}:\n${lastLines(program)}`;
  await waitUntil(
    `${program.name} to be ready`,
    () => {
      if (!program.running()) throw new Error(`${program.name} ended at once; ${describe()}`);
      return isReady().catch(() => false);
    },
    { timeout: 90_000, interval: 100, describe },
  );
}
