import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { startFakeGcs } from './peers/fake-gcs.ts';
import { startMinio } from './peers/minio.ts';
import { startMoto } from './peers/moto.ts';
import { usePeer } from './peers/peer.ts';
import { runProgram } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const BUCKET = 'talon-evidence';
const MIB = 2 ** 20;
const LARGE = 500;
const PATIENCE = { timeout: 240_000 };
const TARGETS = ['local:file', 'aws:s3', 'minio:s3', 'gcp:gcs'] as const;
type Target = (typeof TARGETS)[number];

describe(`an artifact of ${LARGE} MiB`, () => {
  const cluster = useRealCluster();
  const moto = usePeer(startMoto);
  const minio = usePeer(startMinio);
  const gcs = usePeer(startFakeGcs);
  let scratch: string;
  let pods: RealPods;
  let home: TalonHome;
  let talon: Talon;
  let digest: string;
  /** What the store says is the SHA-256 of an object. */
  let digestIn: Readonly<Record<Target, (key: string) => Promise<string>>>;

  beforeAll(async () => {
    scratch = makeScratch();
    const destination = join(scratch, 'files');
    mkdirSync(destination);
    await cluster.allow({ kind: 'User', name: 'talon' }, [
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
    ]);
    pods = new RealPods(cluster, await cluster.namespace('large'));
    await pods.start('web');
    await pods.exec('web', ['sh', '-c', `head -c ${LARGE * MIB} /dev/urandom > /tmp/large; echo small > /tmp/small`]);
    digest = (await pods.exec('web', ['sha256sum', '/tmp/large'])).stdout.slice(0, 64);
    const [ofMoto, ofMinio] = [await moto().bucket(BUCKET), await minio().bucket(BUCKET)];
    await gcs().makeBucket(BUCKET);
    digestIn = {
      'local:file': (key) => digestOfFile(join(destination, key)),
      'aws:s3': (key) => ofMoto.digest(key),
      'minio:s3': (key) => ofMinio.digest(key),
      'gcp:gcs': (key) => gcs().digest(BUCKET, key),
    };
    const parameters = (target: Target) => (target === 'local:file' ? { destination } : { bucket: BUCKET });
    home = await TalonHome.make({
      rules: JSON.stringify(TARGETS.flatMap((target) => rulesFor(target, parameters(target)))),
      kubeconfig: cluster.kubeconfig(),
      settings: {
        aws: { region: 'us-east-1', access_key: 'AKIAE2ETALON00000003', secret_key: 'aws-secret-77' },
        minio: { endpoint: minio().endpoint, access_key: minio().keys.accessKey, secret_key: minio().keys.secretKey },
      },
      env: { AWS_ENDPOINT_URL: moto().url, AWS_EC2_METADATA_DISABLED: 'true', STORAGE_EMULATOR_HOST: gcs().url },
    });
    talon = await home.start();
  }, 180_000);
  afterAll(async () => {
    await talon?.stop();
    home?.remove();
    removeScratch(scratch);
  });

  it.each(TARGETS)(
    'comes whole into %s and is never held in memory',
    async (target) => {
      // Once with little, so that what is loaded on first use is not counted.
      await untilStored(await send(`${target} small`));
      const idle = talon.residentBytes();
      const traceId = await send(`${target} large`);
      const fetching = new MemoryWatch(talon);
      await talon.line({ message: 'action', trace_id: traceId, status: /success|failure/ }, PATIENCE);
      const fetched = fetching.highest();
      const started = performance.now();
      const storing = new MemoryWatch(talon);
      const { status, key, output, sha256 } = await untilStored(traceId);
      const grown = storing.highest() - storing.first;
      const seconds = (performance.now() - started) / 1000;
      console.log(
        `e2e: ${LARGE} MiB to ${target} in ${seconds.toFixed(1)} s: memory grew by ${mebibytes(grown)} MiB at most, ` +
          `by ${mebibytes(fetched - idle)} MiB while it was fetched`,
      );
      expect({ status, sha256 }).toEqual({ status: 'success', sha256: digest });
      const name = key ?? readdirSync(join(scratch, 'files')).find((each) => output?.endsWith(`/${each}'`));
      expect(await digestIn[target](name!), JSON.stringify(talon.about(traceId))).toBe(digest);
      expect(mebibytes(grown)).toBeLessThan(64);
      // Garbage that is collected when there is enough of it comes with the first one; of a large one held there was more.
      expect(mebibytes(fetched - idle)).toBeLessThan(128);
    },
    300_000,
  );

  async function send(rule: string): Promise<string> {
    const fields = { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': 'web' };
    return talon.post(alertBody({ rule, fields }));
  }

  function untilStored(trace_id: string): Promise<LogLine> {
    return talon.line({ message: 'output', trace_id, status: /success|failure/ }, PATIENCE);
  }
});

function rulesFor(target: Target, parameters: object): readonly object[] {
  return ['small', 'large'].map((size) => ({
    rule: `Keep ${size} in ${target}`,
    match: { rules: [`${target} ${size}`] },
    actions: [
      {
        action: `Download ${size} to ${target}`,
        actionner: 'kubernetes:download',
        parameters: { file: `/tmp/${size}` },
        output: { target, parameters },
      },
    ],
  }));
}

async function digestOfFile(file: string): Promise<string> {
  return (await runProgram(['sha256sum', file], '/')).stdout.slice(0, 64);
}

/** Looks again and again how much memory the server has. */
class MemoryWatch {
  /** Bytes at the beginning. */
  readonly first: number;
  #highest: number;
  readonly #timer: NodeJS.Timeout;

  constructor(talon: Talon) {
    this.first = talon.residentBytes();
    this.#highest = this.first;
    this.#timer = setInterval(() => {
      this.#highest = Math.max(this.#highest, talon.residentBytes());
    }, 20);
  }

  /** Ends the watch; bytes. */
  highest(): number {
    clearInterval(this.#timer);
    return this.#highest;
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MIB);
}
