import type { V1Job } from '@kubernetes/client-node';
import type { CaptureContainer } from './capture-means.ts';

/** What differs between the jobs of captures. */
export interface JobOptions {
  readonly name: string;
  readonly nodeName: string;
  readonly container: CaptureContainer;
  /** Seconds that the container waits to be used. */
  readonly ttlSeconds: number;
  /** Seconds that it may take until it runs. */
  readonly startSeconds: number;
}

const LABELS = {
  'app.kubernetes.io/managed-by': 'falco-talon',
  'app.kubernetes.io/name': 'falco-talon-sysdig',
  'app.kubernetes.io/part-of': 'falco-talon',
};

/** Seconds after which Kubernetes removes a job that has ended and that nobody else removed. */
const LEFT_OVER = 3600;

/** A job with one privileged container on one node, which sees the system calls of the node. It ends by itself. */
export function captureJob({ name, nodeName, container, ttlSeconds, startSeconds }: JobOptions): V1Job {
  const endAt = new Date(Date.now() + ttlSeconds * 1000);
  // For people who find the job.
  const annotations = { 'end-at': endAt.toISOString().slice(0, 19).replace('T', ' ') };
  const longest = ttlSeconds + startSeconds;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels: LABELS, annotations },
    spec: {
      ttlSecondsAfterFinished: LEFT_OVER,
      activeDeadlineSeconds: longest,
      // Nobody looks for a second pod.
      backoffLimit: 0,
      completions: 1,
      template: {
        metadata: { labels: LABELS, annotations },
        spec: {
          // No scheduler is asked, and no taint of the node keeps it off.
          nodeName,
          tolerations: [{ operator: 'Exists' }],
          activeDeadlineSeconds: longest,
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          // What runs here has the whole node, and needs nothing of the API server.
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          containers: [
            {
              ...container,
              name: 'falco-talon-sysdig',
              command: [...container.command],
              securityContext: { privileged: true, runAsUser: 0, runAsNonRoot: false },
              volumeMounts: [{ name: 'host-fs', mountPath: '/host' }],
            },
          ],
          volumes: [{ name: 'host-fs', hostPath: { path: '/' } }],
        },
      },
    },
  };
}
