import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { freePort } from '../cluster/free-port.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import { debianProgram } from './debian.ts';

/** A tar archive with files of an image. */
export interface ImageLayer {
  readonly tar: Buffer;
}

/** Writes the configuration of a registry that listens on a port of 127.0.0.1, and returns the command that runs it. */
export function registryCommand(
  configFile: string,
  store: string,
  port: number,
  { readOnly }: { readonly readOnly: boolean },
): readonly string[] {
  const storage = { filesystem: { rootdirectory: store }, maintenance: { readonly: { enabled: readOnly } } };
  const config = { version: 0.1, log: { level: 'warn' }, storage, http: { addr: `127.0.0.1:${port}` } };
  // JSON is YAML, and needs no care about quoting.
  writeFileSync(configFile, JSON.stringify(config));
  return [debianProgram('docker-registry'), 'serve', configFile];
}

/** Starts a registry over the folder and waits until it answers. */
export async function startRegistry(
  configFile: string,
  store: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const [program = '', ...args] = registryCommand(configFile, store, port, { readOnly: false });
  const registry = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  const ended = new Promise<void>((resolve) => registry.once('close', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const stop = () => {
    registry.kill('SIGKILL');
    return ended;
  };
  try {
    await waitUntil('the registry to answer', () =>
      fetch(`${url}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** Puts an image made of these layers into the registry under the tag `1`. */
export async function pushImage(url: string, name: string, layers: readonly ImageLayer[]): Promise<void> {
  const blobs = layers.map(({ tar }) => gzipSync(tar));
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Env: ['PATH=/bin:/usr/bin:/usr/sbin'], Cmd: ['sleep', 'infinity'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
    }),
  );
  for (const blob of [config, ...blobs]) await pushBlob(`${url}/v2/${name}`, blob);
  const describe = (kind: string, blob: Buffer) => ({
    mediaType: `application/vnd.oci.image.${kind}`,
    digest: digestOf(blob),
    size: blob.length,
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: describe('config.v1+json', config),
    layers: blobs.map((blob) => describe('layer.v1.tar+gzip', blob)),
  };
  await must('PUT', `${url}/v2/${name}/manifests/1`, JSON.stringify(manifest), mediaType);
}

async function pushBlob(url: string, blob: Buffer): Promise<void> {
  const upload = await must('POST', `${url}/blobs/uploads/`);
  const location = new URL(upload.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digestOf(blob));
  await must('PUT', location.href, blob, 'application/octet-stream');
}

async function must(method: string, url: string, body?: string | Buffer, type?: string): Promise<Response> {
  const headers = type === undefined ? {} : { 'content-type': type };
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });
  if (!response.ok) throw new Error(`${method} ${url} was answered with ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
