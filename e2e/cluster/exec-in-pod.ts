import { PassThrough } from 'node:stream';
import { Exec, KubeConfig, type V1Status } from '@kubernetes/client-node';

/** A command that has ended in a container. */
export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecTarget {
  /** The text of the kubeconfig file of whoever executes it. */
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

/** Runs a command in a container to its end, and gives it the text and an end of its input if there is one. */
export async function execInPod(target: ExecTarget, command: readonly string[], input?: string): Promise<ExecResult> {
  const config = new KubeConfig();
  config.loadFromString(target.kubeconfig);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stdin = input === undefined ? null : new PassThrough().end(input);
  const { namespace, pod, container = 'main' } = target;
  const output = Promise.all([textOf(stdout), textOf(stderr)]);
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config)
      .exec(namespace, pod, container, [...command], stdout, stderr, stdin, false, resolve)
      .then((socket) => socket.on('close', () => reject(new Error('the connection ended before the command did'))))
      .catch(reject);
  });
  const [out, err] = await output;
  return { code: exitCode(status), stdout: out, stderr: err };
}

function exitCode({ status, reason, message, details }: V1Status): number {
  if (status === 'Success') return 0;
  if (reason !== 'NonZeroExitCode') throw new Error(`the command could not be executed: ${message}`);
  return Number(details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
