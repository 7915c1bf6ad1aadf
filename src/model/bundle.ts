import type { KubeGrant } from './grant.ts';
import type { GuardPolicy } from './guard-policy.ts';
import type { PolicyRule } from './rule.ts';

/** Version of the layout of a bundle. A runtime refuses versions that it does not know. */
export const BUNDLE_FORMAT = 2;

/** Names of the entries. OPA wants the leading slash. */
export const BUNDLE_FILES = {
  manifest: '/.manifest',
  module: '/policy.wasm',
  data: '/data.json',
  rules: '/rules/',
  policies: '/policies/',
} as const;

/** The entrypoints of the module, for any host of OPA's WASM ABI. */
export const ENTRYPOINTS = ['talon/plan', 'talon/match'] as const;

/**
 * What stands in `data.json`, below `talon.bundle`: beside the virtual documents `talon.plan` and `talon.match`, never
 * over them.
 */
export interface BundleData {
  readonly format: number;
  readonly revision: string;
  /** SHA-256 digest of the policy module, in hexadecimal digits. The revision cannot cover it, since it stands in the module. */
  readonly module: string;
  readonly rules: readonly PolicyRule[];
  /** Checked before every action, in this order. */
  readonly guards: readonly GuardPolicy[];
  /** The least that the actions of these rules, and what guards look up, need of the API server. */
  readonly grants: readonly KubeGrant[];
  /** For people and tools that look into a bundle; nothing depends on it. */
  readonly metadata: BundleMetadata;
}

/** The plug-ins that the rules use, sorted. */
export interface BundleMetadata {
  readonly actionners: readonly string[];
  readonly outputs: readonly string[];
  readonly notifiers: readonly string[];
}

/** `.manifest`, as far as it is ours. */
export interface BundleManifest {
  readonly revision: string;
  readonly roots: readonly string[];
  readonly wasm: readonly { readonly entrypoint: string; readonly module: string }[];
  readonly rego_version: number;
}

/** Compiled rules. */
export interface Bundle {
  /** Digest of the content, in hexadecimal digits: the same rules, guards and sources have the same revision. */
  readonly revision: string;
  readonly rules: readonly PolicyRule[];
  readonly guards: readonly GuardPolicy[];
  /** The policy module: WebAssembly in OPA's ABI. */
  readonly module: Uint8Array;
  /** The bundle as OPA's bundle file (tar.gz). The same rules make the same bytes. */
  pack(): Uint8Array;
}
