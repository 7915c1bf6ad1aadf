import { afterAll, beforeAll } from 'vitest';
import type { KeptProcess } from './kept-process.ts';
import { kubeletCommand, REAL_NODE, startRuntime, untilNodeReady } from './real-node.ts';
import { RealSurroundings } from './real-surroundings.ts';
import { Cluster } from './use-cluster.ts';
import { waitUntil } from './wait-until.ts';

/**
 * A cluster whose only node, `REAL_NODE`, is real: a kubelet with containerd, which runs the images of ours. Needs root
 * and Debian. There is no scheduler, so pods name their node.
 */
export class RealCluster extends Cluster {
  #surroundings: RealSurroundings | undefined;
  #startKubelet: (() => KeptProcess) | undefined;
  #kubelet: KeptProcess | undefined;

  override async start(): Promise<void> {
    const surroundings = await RealSurroundings.make();
    this.#surroundings = surroundings;
    const { socket } = startRuntime(surroundings);
    await super.start({ surroundings });
    const command = kubeletCommand(surroundings, this.plane, socket);
    this.#startKubelet = () => surroundings.start('kubelet', command);
    this.#kubelet = this.#startKubelet();
    await untilNodeReady(this.#kubelet, this.api);
  }

  /** The kubelet dies as in a crash, and nothing listens on its port any more; the containers stay. */
  async stopKubelet(): Promise<void> {
    await this.#kubelet?.stop('KILL');
    await waitUntil('the kubelet to be gone', async () => {
      const { body } = await this.api.call('GET', `/api/v1/nodes/${REAL_NODE}/proxy/healthz`);
      return JSON.stringify(body).includes('connection refused');
    });
  }

  startKubelet(): void {
    this.#kubelet = this.#startKubelet?.();
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#surroundings?.remove();
  }
}

/** Starts such a cluster for the test file that calls it, and ends it after its last test. */
export function useRealCluster(): RealCluster {
  const cluster = new RealCluster();
  beforeAll(() => cluster.start());
  afterAll(() => cluster.stop());
  return cluster;
}
