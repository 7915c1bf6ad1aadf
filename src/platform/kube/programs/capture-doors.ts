import { DoorError } from '../../../model/door-error.ts';
import type { AdaptersOf } from '../../../model/door-row.ts';
import type { CaptureSettings } from '../kube-config.ts';
import { captureInPod } from './capture-in-pod.ts';
import type { CaptureContainer, CaptureMeans } from './capture-means.ts';
import { captureOnNode } from './capture-on-node.ts';

/** Seconds that a capture may ask for. */
const LONGEST_TTL = 7200;

/** Containers for captures: of each the image is all that a rule decides. */
export function captureDoors(means: CaptureMeans): AdaptersOf<'captures'> {
  const { captures } = means;
  return {
    'captures.inPod': async (pod, image, ttlSeconds, signal) =>
      captureInPod(means, pod, containerOf(image, ttlSeconds, captures), signal),
    'captures.onNode': async (pod, image, ttlSeconds, signal) =>
      captureOnNode(means, pod, containerOf(image, ttlSeconds, captures), ttlSeconds, signal),
  };
}

function containerOf(wanted: string, ttlSeconds: number, { images }: CaptureSettings): CaptureContainer {
  if (ttlSeconds < 1 || ttlSeconds > LONGEST_TTL) {
    throw new DoorError('refused', `a container for a capture lasts from 1 to ${LONGEST_TTL} s`);
  }
  const image = images?.get(wanted) ?? wanted;
  // What a digest names is always the same; a tag may have moved since the node pulled it.
  const imagePullPolicy = image.includes('@') ? 'IfNotPresent' : 'Always';
  return { image, imagePullPolicy, command: ['sleep', String(ttlSeconds)] };
}
