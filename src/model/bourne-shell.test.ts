import { describe, expect, it } from 'vitest';
import { isBourneShell } from './bourne-shell.ts';

describe('isBourneShell', () => {
  it.each(['sh', '/bin/sh', '/usr/bin/bash', 'dash', 'ksh', 'zsh', 'ash'])('knows %s', (shell) =>
    expect(isBourneShell(shell)).toBe(true),
  );
  it.each(['/usr/bin/python3', 'perl', 'fish', 'pwsh', '', '/bin/bash/'])('refuses %s', (shell) =>
    expect(isBourneShell(shell)).toBe(false),
  );
});
