import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Prepared, preparedFolder } from './prepare-folder.ts';
import { runTool } from './run-tool.ts';

const INSTALL =
  "The end-to-end tests on a real node take containerd and what belongs to it from Debian's packages: run them on Debian 12, " +
  'where apt-get reaches an archive.';

/** What a node needs beside the kubelet. apt brings the libraries that they need and the machine lacks. */
const PACKAGES = [
  'busybox-static',
  'containerd',
  'containernetworking-plugins',
  'docker-registry',
  'runc',
  'tcpdump',
] as const;

/** Where the programs stand below the folder that the packages are unpacked into. */
const PROGRAMS = {
  busybox: 'bin/busybox',
  containerd: 'usr/bin/containerd',
  'docker-registry': 'usr/bin/docker-registry',
  runc: 'usr/sbin/runc',
  tcpdump: 'usr/bin/tcpdump',
} as const;

/**
 * Debian's packages, unpacked. They are not installed: nothing starts, nothing in /etc changes, and what the machine has
 * of them already does not matter.
 */
export const debianPackages: Prepared = {
  name: 'debian-packages',
  sources: ['debian.ts'],
  witness: PROGRAMS.tcpdump,
  async fill(folder) {
    const apt = join(folder, 'apt');
    await download(apt);
    for (const file of readdirSync(join(apt, 'archives')).filter((name) => name.endsWith('.deb'))) {
      await runTool('dpkg-deb', ['--extract', join(apt, 'archives', file), folder], INSTALL);
    }
    rmSync(apt, { recursive: true });
  },
};

/** The absolute path of a program from Debian's packages. */
export function debianProgram(name: keyof typeof PROGRAMS): string {
  return join(preparedFolder(debianPackages), PROGRAMS[name]);
}

/** The folders of the CNI plugins, of the programs that containerd looks for, and of the libraries. */
export function debianFolders(): { readonly cni: string; readonly path: string; readonly libraries: string } {
  const root = preparedFolder(debianPackages);
  const lib = join(root, 'usr/lib');
  const libraries = readdirSync(lib).find((name) => name.endsWith('-linux-gnu'));
  if (libraries === undefined) throw new Error(`${lib} has no folder of libraries: remove ${root} and build again`);
  const path = ['usr/bin', 'usr/sbin', 'bin'].map((folder) => join(root, folder)).join(':');
  return { cni: join(lib, 'cni'), path, libraries: join(lib, libraries) };
}

/** Lets apt keep its lists and archives in the folder, so that the machine's own stay as they are. */
async function download(folder: string): Promise<void> {
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(folder, 'archives', 'partial'), { recursive: true });
  const options = {
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': folder,
    'Dir::Cache::archives': join(folder, 'archives'),
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '3',
    // Nothing is installed, so nobody else needs to be kept out.
    'Debug::NoLocking': 'true',
  };
  const apt = ['--quiet=2', '--yes', ...Object.entries(options).map(([name, value]) => `-o${name}=${value}`)];
  await runTool('apt-get', [...apt, 'update'], INSTALL);
  // With --reinstall it downloads what the machine has too.
  const install = ['install', '--download-only', '--reinstall', '--no-install-recommends'];
  await runTool('apt-get', [...apt, ...install, ...PACKAGES], INSTALL);
}
