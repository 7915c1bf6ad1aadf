import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { RealPods } from './cluster/real-pods.ts';
import { useRealCluster } from './cluster/use-real-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import type { Bucket } from './peers/bucket.ts';
import { startFakeGcs } from './peers/fake-gcs.ts';
import { ACCESS_TOKEN, startGoogle } from './peers/google.ts';
import { startMinio } from './peers/minio.ts';
import { startMoto } from './peers/moto.ts';
import { usePeer } from './peers/peer.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { secretsWritten } from './secrets-written.ts';
import type { LogLine, Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const AWS = { region: 'us-east-1', access_key: 'AKIAE2ETALON00000002', secret_key: 'aws-secret-91d3' };

const cluster = useRealCluster();
const moto = usePeer(startMoto);
const minio = usePeer(startMinio);
const gcs = usePeer(startFakeGcs);
const google = usePeer(startGoogle);

let scratch: string;
let pods: RealPods;
let home: TalonHome | undefined;
let talon: Talon | undefined;

beforeAll(async () => {
  scratch = makeScratch();
  await cluster.allow({ kind: 'User', name: 'talon' }, [
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] },
  ]);
  pods = new RealPods(cluster, await cluster.namespace('outputs'));
  await pods.start('web', ['sh', '-c', 'echo one; echo two; sleep infinity']);
  await waitUntil('the log of the pod', async () => (await pods.log('web')) === 'one\ntwo\n');
});
afterEach(async () => {
  await talon?.stop();
  home?.remove();
  talon = undefined;
});
afterAll(() => removeScratch(scratch));

describe('local:file', () => {
  it('writes a file that only its owner can read, and says what is in it', async () => {
    const destination = join(scratch, 'files');
    mkdirSync(destination);
    await start({ rules: logsTo('local:file', { destination }) });
    const output = await keep();
    const [file = ''] = readdirSync(destination);
    expect(file).toMatch(keyOf('log'));
    expect(readFileSync(join(destination, file), 'utf8')).toBe('one\ntwo\n');
    expect(statSync(join(destination, file)).mode & 0o777).toBe(0o600);
    expect(output).toMatchObject({
      status: 'success',
      category: 'local',
      output_target: 'local:file',
      file: 'log',
      destination,
      output: `the file 'log' has been copied to '${join(destination, file)}'`,
    });
    expect(Object.values(output)).toContain(sha256('one\ntwo\n'));
  });

  it('refuses a folder that is not there before anything is read from the pod', async () => {
    const destination = join(scratch, 'absent');
    await start({ rules: downloadTo('local:file', { destination }) });
    expect(await refusal()).toEqual({
      error: expect.stringContaining(`folder '${destination}' does not exist`),
      executed: 0,
    });
  });
});

describe('aws:s3', () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await moto().bucket('talon-evidence');
  });
  const env = () => ({ AWS_ENDPOINT_URL: moto().url, AWS_EC2_METADATA_DISABLED: 'true' });

  it('puts the object under its exact key, with what it is', async () => {
    const parameters = { bucket: bucket.name, prefix: '/logs/', region: 'us-east-1' };
    await start({ rules: logsTo('aws:s3', parameters), settings: { aws: AWS }, env: env() });
    const output = await keep();
    const [key = ''] = await bucket.keys();
    expect(key).toMatch(new RegExp(`^logs/${keyOf('log').source.slice(1)}`));
    const { content, contentType, metadata } = await bucket.get(key);
    expect(content.toString()).toBe('one\ntwo\n');
    expect(contentType).toBe('text/plain; charset=utf-8');
    expect(Object.values(metadata)).toContain(sha256('one\ntwo\n'));
    expect(output).toMatchObject({
      status: 'success',
      category: 'aws',
      output_target: 'aws:s3',
      file: 'log',
      bucket: bucket.name,
      prefix: 'logs/',
      key: key.slice('logs/'.length),
      region: 'us-east-1',
      output: `the file 'log' has been uploaded as the key '${key}' to the bucket '${bucket.name}'`,
    });
    expect(await secretsWritten(talon!, home!, [AWS.secret_key])).toEqual([]);
  });

  it('puts it as an assumed role', async () => {
    await moto().record();
    const role = { role_arn: 'arn:aws:iam::123456789012:role/keeper', external_id: 'external-secret-c3' };
    const rules = logsTo('aws:s3', { bucket: bucket.name });
    await start({ rules, settings: { aws: { ...AWS, ...role } }, env: env() });
    expect(await keep()).toMatchObject({ status: 'success' });
    const puts = (await moto().recorded()).filter(({ method, url }) => method === 'PUT' && url.includes(bucket.name));
    expect(puts.map(({ headers }) => headers.Authorization)).toEqual([expect.stringContaining('Credential=ASIA')]);
    expect(await secretsWritten(talon!, home!, [role.external_id])).toEqual([]);
  });

  it('says that the bucket is not there before anything is read from the pod', async () => {
    await start({ rules: downloadTo('aws:s3', { bucket: 'talon-absent' }), settings: { aws: AWS }, env: env() });
    expect(await refusal()).toEqual({ error: expect.stringMatching(/bucket/), executed: 0 });
  });
});

describe('minio:s3', () => {
  let bucket: Bucket;
  beforeAll(async () => {
    bucket = await minio().bucket('talon-evidence');
  });
  const settings = () => ({
    minio: { endpoint: minio().endpoint, access_key: minio().keys.accessKey, secret_key: minio().keys.secretKey },
  });

  it('puts a binary file of the pod, byte for byte', async () => {
    await pods.exec('web', ['sh', '-c', 'head -c 3000000 /dev/urandom > "/tmp/a b.bin"']);
    const { stdout } = await pods.exec('web', ['sha256sum', '/tmp/a b.bin']);
    const file = '/tmp/a b.bin';
    await start({
      rules: downloadTo('minio:s3', { bucket: bucket.name, prefix: 'files' }, file),
      settings: settings(),
    });
    const output = await keep();
    const [key = ''] = await bucket.keys();
    expect(key).toMatch(new RegExp(`^files/${keyOf('_tmp_a_b.bin').source.slice(1)}`));
    const { content, contentType } = await bucket.get(key);
    expect(sha256(content)).toBe(stdout.slice(0, 64));
    expect(contentType).toBe('application/octet-stream');
    expect(output).toMatchObject({
      status: 'success',
      category: 'minio',
      file,
      output: `the file '${file}' has been uploaded as the key '${key}' to the bucket '${bucket.name}'`,
    });
    expect(await secretsWritten(talon!, home!, [minio().keys.secretKey])).toEqual([]);
  });

  it('says that the bucket is not there before anything is read from the pod', async () => {
    await start({ rules: downloadTo('minio:s3', { bucket: 'talon-absent' }), settings: settings() });
    expect(await refusal()).toEqual({
      error: expect.stringContaining("the bucket 'talon-absent' does not exist"),
      executed: 0,
    });
  });
});

describe('gcp:gcs', () => {
  const env = () => ({ ...google().env, STORAGE_EMULATOR_HOST: gcs().url });
  beforeAll(() => gcs().makeBucket('talon-evidence'));

  it('puts the object under its exact key, with what it is', async () => {
    await start({ rules: logsTo('gcp:gcs', { bucket: 'talon-evidence', prefix: 'logs' }), env: env() });
    const output = await keep();
    const [object] = await gcs().list('talon-evidence');
    expect(object?.name).toMatch(new RegExp(`^logs/${keyOf('log').source.slice(1)}`));
    expect(object?.contentType).toBe('text/plain; charset=utf-8');
    expect((await gcs().content('talon-evidence', object!.name)).toString()).toBe('one\ntwo\n');
    expect(Object.values(object?.metadata ?? {})).toContain(sha256('one\ntwo\n'));
    expect(output).toMatchObject({
      status: 'success',
      category: 'gcp',
      prefix: 'logs/',
      output: `The file 'log' has been uploaded as the key '${object!.name}' to the bucket 'talon-evidence'`,
    });
    expect(await secretsWritten(talon!, home!, [ACCESS_TOKEN])).toEqual([]);
  });

  it('says that the bucket is not there before anything is read from the pod', async () => {
    await start({ rules: downloadTo('gcp:gcs', { bucket: 'talon-absent' }), env: env() });
    expect(await refusal()).toEqual({ error: expect.stringMatching(/bucket/), executed: 0 });
  });
});

interface StartOptions {
  readonly rules: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

async function start(options: StartOptions): Promise<void> {
  home = await TalonHome.make({ kubeconfig: cluster.kubeconfig(), ...options });
  talon = await home.start();
}

function logsTo(target: string, parameters: object): string {
  return rule('kubernetes:log', { tail_lines: 200 }, target, parameters);
}

function downloadTo(target: string, parameters: object, file = '/etc/passwd', alert = 'keep'): string {
  return rule('kubernetes:download', { file }, target, parameters, alert);
}

/** A rule in a list: YAML takes JSON as an item. */
function rule(actionner: string, parameters: object, target: string, targetParameters: object, alert = 'keep'): string {
  const action = {
    action: `Keep by ${alert}`,
    actionner,
    parameters,
    output: { target, parameters: targetParameters },
  };
  return `- ${JSON.stringify({ rule: `Keep on ${alert}`, match: { rules: [alert] }, actions: [action] })}`;
}

function alert(name: string): string {
  return alertBody({ rule: name, fields: { 'k8s.ns.name': pods.namespace.name, 'k8s.pod.name': 'web' } });
}

/** Has the artifact of the pod kept, and returns the line about its output. */
async function keep(name = 'keep', timeout = 30_000): Promise<LogLine> {
  const traceId = await talon!.post(alert(name));
  return talon!.line({ message: 'output', trace_id: traceId, status: /success|failure/ }, { timeout });
}

/** Has it not kept; returns the error, whichever line it stands in, and how often something was executed in the pod. */
async function refusal(): Promise<{ readonly error: string; readonly executed: number }> {
  const before = executions();
  const traceId = await talon!.post(alert('keep'));
  const line = await talon!.line({ trace_id: traceId, status: 'failure' }, { timeout: 30_000 });
  return { error: line.error ?? '', executed: executions() - before };
}

/** How often the server under test has executed something in pods so far. */
function executions(): number {
  const commands = pods.namespace.audit().filter(({ objectRef }) => objectRef?.subresource === 'exec');
  return commands.filter(({ user }) => user.username === 'talon').length;
}

/** The whole key of an artifact of the pod. */
function keyOf(name: string): RegExp {
  return new RegExp(
    `^\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ_${pods.namespace.name}_web_${name.replace('.', '\\.')}$`,
  );
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
