import { gzipSync } from 'node:zlib';
import { BUNDLE_FILES, type BundleData, type BundleManifest, ENTRYPOINTS } from '../model/bundle.ts';
import { tar } from './tar.ts';

/** The text of one rules file, and the path that it was read from. */
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
export function pack(data: BundleData, module: Uint8Array, sources: readonly BundledSource[]): Uint8Array {
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
    { name: BUNDLE_FILES.rules, content: new Uint8Array() },
    ...sources.map(({ path, text }, index) => ({
      name: sourceName(path, index, sources.length),
      content: Buffer.from(text),
    })),
  ]);
  const packed = gzipSync(archive, { level: 6 });
  packed[GZIP_SYSTEM] = 255;
  return packed;
}

/** `/rules/01-shop.yaml`: the number keeps the order of the files, the name is for people. */
function sourceName(path: string, index: number, count: number): string {
  const base = path.split(/[\\/]/).at(-1) ?? '';
  const stem = base
    .replace(/\.ya?ml$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 60);
  return `${BUNDLE_FILES.rules}${String(index + 1).padStart(Math.max(2, String(count).length), '0')}-${stem || 'rules'}.yaml`;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
