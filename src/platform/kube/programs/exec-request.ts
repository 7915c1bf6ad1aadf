import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { DoorError } from '../../../model/door-error.ts';
import type { ContainerTarget } from '../../../model/targets.ts';

/** A program to be run in a container, without a terminal. */
export interface ProgramToRun {
  readonly container: ContainerTarget;
  /** Its name or path, and its arguments. No shell looks at them. */
  readonly program: readonly string[];
  /** What it can read. There is no end to it: a program has to know how much it is. Where empty, the input is at its end. */
  readonly stdin: string;
}

/** The address at which a program is started. */
export function execUrl(config: KubeConfig, { container, program, stdin }: ProgramToRun): string {
  const { namespace, name } = container.pod;
  const server = (config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  const query = new URLSearchParams({ container: container.name, stdout: 'true', stderr: 'true' });
  if (stdin !== '') query.set('stdin', 'true');
  for (const argument of program) query.append('command', argument);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/exec`;
  return `${server}${path}?${query}`;
}

/** How to connect, with the credentials as they are now: tokens are renewed on disk. @throws DoorError without any */
export async function execOptions(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DoorError('unreachable', `no credentials for the Kubernetes API: ${reason}`, { cause: error });
  }
  // A token file may end with a newline.
  const trimmed = Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value).trim()]);
  return { ...options, headers: { ...Object.fromEntries(trimmed), 'User-Agent': 'falco-talon' } };
}
