import { gzipSync } from 'node:zlib';
import { BUNDLE_FILES, type BundleData, type BundleManifest, ENTRYPOINTS } from '../model/bundle.ts';
import { type TarEntry, tar } from './tar.ts';

/** The text of one file of rules or policies, and the path that it was read from. */
export interface BundledSource {
  readonly path: string;
  readonly text: string;
}

/** Byte of a gzip header that names the system that wrote it; 255 is "unknown". */
const GZIP_SYSTEM = 9;

/**
 * A bundle in OPA's format: manifest, module, data and the sources. The same content makes the same bytes, with the same
 * zlib; the revision in it does not depend on the compression.
 */
export function pack(
  data: BundleData,
  module: Uint8Array,
  { rules, policies }: { readonly rules: readonly BundledSource[]; readonly policies: readonly BundledSource[] },
): Uint8Array {
  const manifest: BundleManifest = {
    revision: data.revision,
    roots: ['talon'],
    wasm: ENTRYPOINTS.map((entrypoint) => ({ entrypoint, module: BUNDLE_FILES.module })),
    rego_version: 1,
  };
  const archive = tar([
    { name: BUNDLE_FILES.manifest, content: json(manifest) },
    { name: BUNDLE_FILES.data, content: json({ talon: { bundle: data } }) },
    { name: BUNDLE_FILES.module, content: module },
    ...folder(BUNDLE_FILES.rules, rules),
    ...(policies.length > 0 ? folder(BUNDLE_FILES.policies, policies) : []),
  ]);
  const packed = gzipSync(archive, { level: 6 });
  packed[GZIP_SYSTEM] = 255;
  return packed;
}

function folder(name: string, sources: readonly BundledSource[]): TarEntry[] {
  const files = sources.map(({ path, text }, index) => ({
    name: `${name}${sourceName(path, index, sources.length)}`,
    content: Buffer.from(text),
  }));
  return [{ name, content: new Uint8Array() }, ...files];
}

/** `01-shop.yaml`: the number keeps the order of the files, the name is for people. */
function sourceName(path: string, index: number, count: number): string {
  const base = path.split(/[\\/]/).at(-1) ?? '';
  const stem = base
    .replace(/\.ya?ml$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 60);
  return `${String(index + 1).padStart(Math.max(2, String(count).length), '0')}-${stem || 'unnamed'}.yaml`;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
