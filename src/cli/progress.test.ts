import { expect, test } from 'vitest';
import { Progress } from './progress.ts';
import { recordingTerminal } from './recording-terminal.ts';

test('what is known to take long is shown at once, on a terminal, and taken away again', () => {
  const terminal = recordingTerminal({ onTerminal: true });
  const progress = new Progress(terminal);
  progress.step('compiling', true);
  progress.done();
  expect(terminal.stderr()).toBe('\r\x1b[Kcompiling ...\r\x1b[K');
  expect(terminal.stdout()).toBe('');
});

test('short steps are not shown, and nothing is where stderr is no terminal', () => {
  const terminal = recordingTerminal({ onTerminal: true });
  const progress = new Progress(terminal);
  progress.step('testing');
  progress.done();
  expect(terminal.stderr()).toBe('');
  const piped = recordingTerminal();
  new Progress(piped).step('compiling', true);
  expect(piped.stderr()).toBe('');
});
