import type { V1ContainerState } from '@kubernetes/client-node';

/** Characters of what a node says. */
const LONGEST = 500;
/** What is said of every container that has not been started yet. */
const USUAL = ['ContainerCreating', 'PodInitializing'];

/** Why a container does not run, as its node says it, to be put behind a sentence; empty where there is nothing to be said. */
export function whyNotRunning(state: V1ContainerState | undefined): string {
  const { reason = '', message = '' } = state?.waiting ?? state?.terminated ?? {};
  if (USUAL.includes(reason)) return '';
  const words = [reason, message.trim()].filter((each) => each !== '').join(': ');
  return words && `: ${words.slice(0, LONGEST)}`;
}
