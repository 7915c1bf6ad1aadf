import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { debianProgram } from '../components/debian.ts';
import { makeScratch, removeScratch } from '../scratch.ts';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import type { Surroundings } from './control-plane.ts';
import { forward } from './forward.ts';
import { type KeptProcess, lastLines, startKept } from './kept-process.ts';
import { waitUntil } from './wait-until.ts';

/** The address of the node. No address of a machine's loopback interface would do; there is nobody else in this network. */
export const NODE_ADDRESS = '10.213.0.1';

/**
 * The first process of the namespaces. When it is killed the kernel kills every other in them, and with the last of them
 * the mounts and the network go. It waits for what it has not started too: containers leave such processes to it.
 * What is written to /run, /var/log and /var/lib stays in here: shims, kubelet and network plugins use them whatever their
 * configuration says.
 */
const FIRST = `
set -e
busybox=$1 address=$2
"$busybox" ip link set lo up
"$busybox" ip addr add "$address/32" dev lo
echo 1 > /proc/sys/net/ipv4/ip_forward
for folder in /run /var/log; do mount -t tmpfs tmpfs $folder; done
mkdir /run/upper /run/work
mount -t overlay -o lowerdir=/var/lib,upperdir=/run/upper,workdir=/run/work overlay /var/lib
echo ready
sleep infinity & wait
`;

/**
 * A network, a table of processes and a table of mounts of their own for a node and its control plane. Nothing of the
 * machine's network is changed: ports inside are reached over sockets in the file system.
 */
export class RealSurroundings implements Surroundings {
  /** For the files of everything in here. */
  readonly folder: string;
  /** The cgroup, below the root of each hierarchy, of all containers. */
  readonly cgroup: string;
  readonly #keeper: KeptProcess;
  readonly #first: number;
  readonly #inner: KeptProcess[] = [];
  readonly #forwards: Server[] = [];

  private constructor(folder: string, keeper: KeptProcess, first: number) {
    this.folder = folder;
    this.cgroup = makeCgroups();
    this.#keeper = keeper;
    this.#first = first;
  }

  /** Throws, saying why, where a user may not make namespaces. */
  static async make(): Promise<RealSurroundings> {
    if (process.getuid?.() !== 0) throw new Error('the end-to-end tests on a real node must be run as root');
    const folder = makeScratch();
    const log = join(folder, 'namespaces.log');
    const unshare = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
    const first = ['/bin/sh', '-c', FIRST, 'first', debianProgram('busybox'), NODE_ADDRESS];
    const keeper = startKept('namespaces', [...unshare, ...first], { log });
    try {
      await waitUntil('the namespaces', () => {
        if (!keeper.running()) throw new Error(`no namespaces can be made here:\n${lastLines(keeper)}`);
        return lastLines(keeper) === 'ready';
      });
      const outer = keeper.pid();
      const pid = outer === undefined ? '' : readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').trim();
      return new RealSurroundings(folder, keeper, Number(pid));
    } catch (error) {
      await keeper.stop('KILL');
      removeScratch(folder);
      throw error;
    }
  }

  /** Runs the program given after it in the network, in the same process. */
  get within(): readonly string[] {
    return ['nsenter', `--target=${this.#first}`, '--net', '--'];
  }

  /**
   * Starts a program that sees this network, these processes and these mounts only; it ends with `remove`. Any signal kills it:
   * what gets the signal is the program that entered the namespaces, and its end is the death of the one within.
   */
  start(name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): KeptProcess {
    const enter = [
      'nsenter',
      `--target=${this.#first}`,
      '--net',
      '--mount',
      '--pid',
      '--',
      'setpriv',
      '--pdeathsig=KILL',
    ];
    const log = join(this.folder, `${name}.log`);
    const program = startKept(name, [...enter, ...command], { log, env, cwd: this.folder });
    this.#inner.push(program);
    return program;
  }

  async expose(port: number): Promise<void> {
    const socket = join(this.folder, `${port}.sock`);
    const inside = join(import.meta.dirname, 'forward-inside.ts');
    const node = [process.execPath, `--import=${import.meta.resolve('tsx')}`, inside, socket, String(port)];
    this.#inner.push(startKept('forward', [...this.within, ...node], { log: join(this.folder, 'forward.log') }));
    this.#forwards.push(await forward({ host: '127.0.0.1', port }, { path: socket }));
  }

  /** Ends everything that runs in here, removes the files, and leaves the machine as it was. */
  async remove(): Promise<void> {
    await this.#keeper.stop('KILL');
    await Promise.all(this.#inner.map((each) => each.stop('KILL')));
    for (const server of this.#forwards) server.close();
    // The kernel ends the containers a moment later than the first process, and a cgroup goes when nobody is in it.
    await waitUntil('the containers to end', () => removeCgroups(this.cgroup));
    removeScratch(this.folder);
  }
}
