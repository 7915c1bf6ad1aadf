import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Talon } from './talon.ts';
import type { TalonHome } from './talon-home.ts';

/**
 * Which of the secrets can be read in what a running server has written: its log, its metrics, the files of its journal. An
 * empty list is what is wanted.
 */
export async function secretsWritten(
  talon: Talon,
  home: TalonHome,
  secrets: readonly string[],
): Promise<readonly string[]> {
  const folder = dirname(home.files.journal);
  // What is in the spool is on its way to somewhere else, and may be gone in the next moment.
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const metrics = await (await fetch(`${talon.url}/metrics`)).text();
  const places = [
    ['log', JSON.stringify(talon.lines) + talon.stray.join('\n')],
    ['metrics', metrics],
    ...files.map((file) => [file.name, readFileSync(join(file.parentPath, file.name), 'latin1')] as const),
  ] as const;
  return places.flatMap(([place, text]) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${place}`),
  );
}
