import { parentPort, workerData } from 'node:worker_threads';
import type { SandboxData } from './sandbox-host.ts';
import { SandboxHost } from './sandbox-host.ts';

/** The thread of the sandbox. */
if (!parentPort) throw new Error('this is the program of a thread');
const port = parentPort;
const host = await SandboxHost.open(workerData as SandboxData, (message) => port.postMessage(message));
port.on('message', (message) => host.receive(message));
