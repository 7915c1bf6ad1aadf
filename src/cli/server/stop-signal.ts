import process from 'node:process';

/**
 * Resolves with the first SIGTERM or SIGINT. A second one ends the process at once, with 1. SIGUSR1, by which Node would open
 * a debugger, is ignored from here on.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  process.on('SIGUSR1', () => undefined);
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

/** Calls the listener with every SIGHUP from here on. */
export function onHangup(listener: () => void): void {
  process.on('SIGHUP', listener);
}
