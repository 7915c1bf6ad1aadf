import { join } from 'node:path';
import { startKept } from './cluster/kept-process.ts';

/** The program under test, as the build leaves it. */
export const TALON = [process.execPath, join(import.meta.dirname, '../dist/talon.js')];

/** Its server from source, with the plug-ins of the tests. */
export const WITH_PLUGINS = [
  process.execPath,
  `--import=${import.meta.resolve('tsx')}`,
  join(import.meta.dirname, 'server-with-plugins.ts'),
];

/** The end of a command. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs any program to its end. */
export async function runProgram(
  command: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  const program = startKept('program', command, {
    cwd: folder,
    env: { HOME: folder, ...env },
    onLine: (line, stream) => {
      output[stream] += `${line}\n`;
    },
  });
  return { code: await program.exited, ...output };
}

/** Runs a command of the program to its end, in the given folder. */
export async function runTalon(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runProgram([...TALON, ...args], folder, env);
}
