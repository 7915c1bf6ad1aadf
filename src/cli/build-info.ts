import process from 'node:process';

/** What the build wrote into the bundle; absent when the sources are run as they are. */
export interface BuildInfo {
  readonly version: string;
  /** Full commit id, or `unknown`. */
  readonly commit: string;
  /** `clean`, `dirty` or `unknown`. */
  readonly treeState: string;
  /** RFC 3339 in UTC, or `unknown`. */
  readonly date: string;
}

declare const TALON_BUILD: BuildInfo | undefined;

/** This build. Its version is also that of the telemetry scope; Falco Talon says `devel` where none was set. */
export const buildInfo: BuildInfo =
  typeof TALON_BUILD === 'undefined'
    ? { version: 'devel', commit: 'unknown', treeState: 'unknown', date: 'unknown' }
    : TALON_BUILD;

/** `os/arch` in the words of Falco Talon: `linux/amd64`. */
export function platformName(): string {
  const architectures: Record<string, string> = { x64: 'amd64', ia32: '386' };
  const systems: Record<string, string> = { win32: 'windows' };
  return `${systems[process.platform] ?? process.platform}/${architectures[process.arch] ?? process.arch}`;
}
