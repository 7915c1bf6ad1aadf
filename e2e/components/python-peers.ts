import { join } from 'node:path';
import { type Prepared, preparedFolder } from './prepare-folder.ts';
import { runTool } from './run-tool.ts';

const INSTALL =
  'The end-to-end tests need Python 3.10 or newer as `python3`, with its venv module, and a package index that pip reaches.';

/** A virtual environment with moto, which stands for AWS, and aiosmtpd, a mail server. */
export const pythonPeers: Prepared = {
  name: 'python-peers',
  sources: ['python-peers/requirements.txt'],
  witness: 'bin/python',
  async fill(folder) {
    const requirements = join(import.meta.dirname, 'python-peers/requirements.txt');
    const python = join(folder, 'bin/python');
    await runTool('python3', ['-m', 'venv', folder], INSTALL);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await runTool(python, ['-m', 'pip', 'install', ...quiet, '-r', requirements], INSTALL);
    // The scripts in bin/ know where they were made, and the folder is moved; what is run is `bin/python -m NAME`.
    await runTool(python, ['-c', 'import aiosmtpd, moto.server'], INSTALL);
  },
};

/** The interpreter that finds the packages. */
export function pythonPath(): string {
  return join(preparedFolder(pythonPeers), 'bin/python');
}
