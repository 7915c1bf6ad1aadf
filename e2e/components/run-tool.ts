import { spawn } from 'node:child_process';

/**
 * Runs a tool of the machine to its end. Throws what it printed when it fails, and how to get it when it is not there.
 *
 * @param install what to tell whoever has not got it
 */
export async function runTool(command: string, args: readonly string[], install: string): Promise<void> {
  const tool = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [tool.stdout, tool.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    tool.once('error', (error) => reject(new Error(`\`${command}\` cannot be run (${error.message}). ${install}`)));
    tool.once('close', resolve);
  });
  if (code === 0) return;
  const tail = output.trimEnd().split('\n').slice(-20).join('\n');
  throw new Error(`\`${[command, ...args].join(' ')}\` ended with ${code}. ${install}\n${tail}`);
}
