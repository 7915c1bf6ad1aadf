import process from 'node:process';
import { buildInfo, platformName } from './build-info.ts';
import type { Terminal } from './terminal.ts';

/**
 * `version`: Falco Talon's seven aligned lines and an empty one, with the runtime's name and version in place of Go's.
 * As JSON: one object with the same facts.
 */
export function version(terminal: Terminal, format: 'text' | 'json'): number {
  const facts = [
    ['GitVersion', 'version', buildInfo.version],
    ['GitCommit', 'commit', buildInfo.commit],
    ['GitTreeState', 'treeState', buildInfo.treeState],
    ['BuildDate', 'buildDate', buildInfo.date],
    ['NodeVersion', 'nodeVersion', process.version],
    ['V8Version', 'v8Version', process.versions.v8],
    ['Platform', 'platform', platformName()],
  ] as const;
  if (format === 'json') {
    terminal.out(`${JSON.stringify(Object.fromEntries(facts.map(([, key, value]) => [key, value])), null, 2)}\n`);
    return 0;
  }
  const width = Math.max(...facts.map(([label]) => label.length)) + ':  '.length;
  terminal.out(`${facts.map(([label, , value]) => `${`${label}:`.padEnd(width)}${value}\n`).join('')}\n`);
  return 0;
}
