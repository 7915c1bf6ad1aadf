import * as z from 'zod';
import { defineActionner, podOf } from '../../model/definition.ts';
import { DoorError } from '../../model/door-error.ts';
import { FIELD_KEYS } from '../../model/event-fields.ts';
import { integer, text } from '../../model/parameters.ts';

/** Seconds that the ephemeral container lasts beyond the capture, for the file to come out. */
const TTL_MARGIN = 60;
/** Seconds for the container to run, and for the file to come out. */
const AROUND = 50;

/**
 * Called with the seconds and the bytes of each packet. `timeout` ends tcpdump, which is the normal end and called 124, or 0 or
 * 143 where it comes from busybox. The packets wait in a file: in a pod of the node's own network, a stream would be among them
 * and feed on itself. The shell opens it: Debian's tcpdump gives a file of its own to the user that it becomes, which takes one
 * right more. Two to the twentieth blocks of 512 bytes must be enough.
 */
const SCRIPT = `ulimit -f 1048576
timeout "$1" tcpdump -n -i any -s "$2" -w - >/tmp/tcpdump.pcap
code=$?
case $code in
  0 | 124 | 143) exec cat /tmp/tcpdump.pcap ;;
  153) echo 'there were more than 512 MiB of packets' >&2 ;;
esac
exit $code`;

/** Captures the network traffic of the pod. It goes on to the next action, as Falco Talon's documentation has it. */
export const tcpdump = defineActionner({
  id: 'kubernetes:tcpdump',
  description: 'Capture the network packets of the pod',
  sources: ['syscalls'],
  continue: true,
  usesContext: false,
  artifact: 'required',
  requires: [FIELD_KEYS.podName, FIELD_KEYS.namespace],
  parameters: z.object({
    duration: integer('seconds of the capture', { min: 0, max: 3_600, fallback: 5 }),
    image: text('image of the ephemeral container, with tcpdump in it', { fallback: 'issif/tcpdump:latest' }),
    snaplen: integer('bytes to keep of each packet; 0 keeps what tcpdump can', {
      min: 0,
      fallback: 4096,
      zeroIsAbsent: false,
    }),
  }),
  example: `- action: Capture the packets
  actionner: kubernetes:tcpdump
  parameters:
    duration: 10
    snaplen: 1024
  output:
    target: aws:s3
    parameters:
      bucket: forensics
      prefix: captures
`,
  behaviour: {
    // Another capture harms nobody.
    idempotent: true,
    uses: ['captures.inPod', 'pods.capture'],
    deadline: 120,
    lasts: ({ duration }) => duration + AROUND,
    writes: () => ['pod'],
    async run({ parameters: { duration, image, snaplen }, targets, use }) {
      const pod = podOf(targets);
      const objects = { pod: pod.name, namespace: pod.namespace };
      const container = await use['captures.inPod'](pod, image, duration + TTL_MARGIN);
      const program = ['sh', '-c', SCRIPT, 'tcpdump', String(duration), String(snaplen)];
      const file = { name: 'tcpdump.pcap', mediaType: 'application/vnd.tcpdump.pcap' };
      const { code, stderr, artifact } = await use['pods.capture'](container, program, file);
      if (!artifact) throw new DoorError('refused', stderr.trim() || `tcpdump ended with ${code}`, { objects });
      return { status: 'success', output: `a tcpdump '${file.name}' has been created`, objects, artifact };
    },
  },
});
