import { afterAll, beforeAll } from 'vitest';
import { startNode, startRuntime } from './real-node.ts';
import { RealSurroundings } from './real-surroundings.ts';
import { Cluster } from './use-cluster.ts';

/**
 * A cluster whose only node, `REAL_NODE`, is real: a kubelet with containerd, which runs the images of ours. Needs root
 * and Debian. There is no scheduler, so pods name their node.
 */
export class RealCluster extends Cluster {
  #surroundings: RealSurroundings | undefined;

  override async start(): Promise<void> {
    this.#surroundings = await RealSurroundings.make();
    const { socket } = startRuntime(this.#surroundings);
    await super.start({ surroundings: this.#surroundings });
    await startNode(this.#surroundings, this.plane, this.api, socket);
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
