import { Worker } from 'node:worker_threads';
import type { WorkerStart } from '../../model/worker-start.ts';
import type { FromSandbox, ToSandbox } from './messages.ts';
import type { SandboxData } from './sandbox-host.ts';

/** The wall around the host of the contexts. A thread here; a process around it could be another one. */
export interface Link {
  send(message: ToSandbox): void;
  /** Ends what is behind the wall, whatever it is doing. */
  kill(): void;
  /** The step that has the thread at the moment, or 0. */
  current(): number;
}

export interface LinkEvents {
  message(message: FromSandbox): void;
  /** It ended without having been killed. */
  ended(reason: string): void;
}

export type OpenLink = (events: LinkEvents) => Link;

/** For the host's own objects. The memories of contexts lie elsewhere and have limits of their own. */
const HOST_HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/** Opens sandboxes in threads of their own: without environment, and with nothing but scripts. */
export function workerLink(start: WorkerStart, data: Omit<SandboxData, 'current'>): OpenLink {
  return (events) => {
    const current = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const workerData: SandboxData = { ...data, current };
    const worker = new Worker(start.script, {
      eval: start.eval,
      name: 'sandbox',
      env: {},
      workerData,
      resourceLimits: HOST_HEAP,
    });
    let open = true;
    const ended = (reason: string) => {
      if (open) events.ended(reason);
      open = false;
    };
    worker.on('message', (message: FromSandbox) => {
      if (open) events.message(message);
    });
    worker.on('error', (error) => ended(error instanceof Error ? error.message : String(error)));
    worker.on('exit', (code) => ended(`exit code ${code}`));
    const step = new Int32Array(current);
    return {
      send: (message) => worker.postMessage(message),
      kill: () => {
        open = false;
        void worker.terminate();
      },
      current: () => step[0] ?? 0,
    };
  };
}
