import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianFolders, debianProgram } from './debian.ts';
import type { Prepared } from './prepare-folder.ts';
import { type ImageLayer, pushImage, startRegistry } from './registry.ts';

/**
 * The images that the pods of the tests run:
 * - `app`: busybox, a web page in `/www` for its httpd, and the user `app` (1000);
 * - `tcpdump`: busybox and tcpdump with its libraries;
 * - `sysdig-stand-in`: busybox and a script in the place of sysdig, which needs a probe in the kernel that a test machine
 *   cannot be given. The script takes the time that it is given and writes, compressed, what it was called with: so it
 *   tells how the job is handled, and nothing of what sysdig would see.
 */
export const IMAGES = ['app', 'tcpdump', 'sysdig-stand-in'] as const;

const SYSDIG_STAND_IN = `#!/bin/sh
file=- seconds=0 last=
for argument in "$@"; do
  case $last in -w) file=$argument ;; -M) seconds=$argument ;; esac
  last=$argument
done
sleep "$seconds"
show() {
  echo "sysdig stand-in on $(hostname)"
  for argument in "$@"; do printf 'argument: %s\\n' "$argument"; done
}
if [ "$file" = - ]; then show "$@" | gzip; else show "$@" | gzip > "$file"; fi
`;

/** A registry's storage with the images in it. */
export const images: Prepared = {
  name: 'images',
  sources: ['images.ts', 'registry.ts', 'debian.ts'],
  witness: `docker/registry/v2/repositories/${IMAGES.at(-1)}/_manifests/tags/1`,
  async fill(folder) {
    const work = `${folder}.work`;
    mkdirSync(work);
    try {
      const registry = await startRegistry(join(work, 'registry.json'), folder);
      try {
        const base = layer(work, 'base', makeBase);
        await pushImage(registry.url, 'app', [base]);
        await pushImage(registry.url, 'tcpdump', [base, layer(work, 'tcpdump', addTcpdump)]);
        await pushImage(registry.url, 'sysdig-stand-in', [base, layer(work, 'sysdig-stand-in', addSysdigStandIn)]);
      } finally {
        await registry.stop();
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
};

/** Lets `fill` put files into a folder and makes a layer of them. */
function layer(folder: string, name: string, fill: (root: string) => void): ImageLayer {
  const root = join(folder, name);
  mkdirSync(root);
  fill(root);
  const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  return {
    tar: execFileSync('tar', ['--create', ...order, '--directory', root, '.'], { maxBuffer: 256 * 1024 * 1024 }),
  };
}

function makeBase(root: string): void {
  for (const folder of [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'tmp',
    'usr/bin',
    'usr/sbin',
    'var',
    'www',
  ]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  chmodSync(join(root, 'tmp'), 0o1777);
  const busybox = debianProgram('busybox');
  addProgram(root, 'bin/busybox', readFileSync(busybox));
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets.filter((name) => name !== 'busybox')) symlinkSync('busybox', join(root, 'bin', applet));
  const users = ['root:x:0:0::/root:/bin/sh', 'app:x:1000:1000::/home:/bin/sh', 'tcpdump:x:101:101::/:/bin/false'];
  writeFileSync(join(root, 'etc/passwd'), `${users.join('\n')}\n`);
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1000:\ntcpdump:x:101:\n');
  writeFileSync(join(root, 'www/index.html'), 'a page of the app\n');
}

function addTcpdump(root: string): void {
  const program = debianProgram('tcpdump');
  addProgram(root, 'usr/bin/tcpdump', readFileSync(program));
  const { libraries } = debianFolders();
  const env = { PATH: process.env.PATH, LD_LIBRARY_PATH: libraries };
  for (const line of execFileSync('ldd', [program], { encoding: 'utf8', env }).split('\n')) {
    // Either `libpcap.so.0.8 => /path/libpcap.so.0.8 (0x...)` or the loader, `/lib64/ld-linux-x86-64.so.2 (0x...)`.
    const [, name, file] = /^\s*(?:(\S+) => )?(\/\S+) \(/.exec(line) ?? [];
    if (file === undefined) continue;
    const place = join(root, name === undefined ? file : join('usr/lib', name));
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(file, place);
  }
}

function addSysdigStandIn(root: string): void {
  addProgram(root, 'usr/bin/sysdig', SYSDIG_STAND_IN);
}

function addProgram(root: string, place: string, content: string | Uint8Array): void {
  const file = join(root, place);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode: 0o755 });
  chmodSync(file, 0o755);
}
