const BOURNE_SHELLS = ['sh', 'ash', 'bash', 'dash', 'ksh', 'zsh'];

/** Whether a shell, given by its name or path, understands the language of the Bourne shell. */
export function isBourneShell(shell: string): boolean {
  return BOURNE_SHELLS.includes(shell.split('/').at(-1) ?? '');
}
