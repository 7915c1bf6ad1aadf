import type { Notice, NoticeStatus } from './notice.ts';

const ENDS: Readonly<Record<NoticeStatus, Pick<Notice, 'output' | 'result' | 'error'>>> = {
  success: { output: "the pod 'cart-6f7d' in the namespace 'shop' has been labeled" },
  failure: { error: "the pod 'cart-6f7d' in the namespace 'shop' doesn't exist" },
  ignored: { result: "the pod 'cart-6f7d' in the namespace 'shop' is a standalone pod and will be ignored." },
  denied: { result: 'Protected namespaces: nothing is done in the namespace shop' },
  parked: { result: 'Few a minute: the budget of 5 in a minute is spent' },
};

const STORED: Pick<Notice, 'objects' | 'output'> = {
  objects: {
    Bucket: 'forensics',
    File: 'tcpdump.pcap',
    Key: '2026-03-01T10-00-07Z_shop_cart-6f7d_tcpdump.pcap',
    Prefix: 'pcap/',
    Region: 'eu-west-1',
  },
  output:
    "the file 'tcpdump.pcap' has been uploaded as the key 'pcap/2026-03-01T10-00-07Z_shop_cart-6f7d_tcpdump.pcap' to the bucket 'forensics'",
};

/**
 * A notice about nothing that happened: to try a notifier with, and to test with.
 *
 * @param time RFC 3339, in UTC, with milliseconds
 */
export function sampleNotice(stage: Notice['message'], status: NoticeStatus, time: string): Notice {
  const common = { time, trace_id: '0af7651916cd43dd8448eb211c80319c', message: stage, status };
  if (stage === 'action') {
    return {
      ...common,
      objects: { Pod: 'cart-6f7d', Namespace: 'shop' },
      rule: 'Label on shell',
      event: 'A shell was spawned in a container (user=root shell=bash)',
      ...ENDS[status],
      ...{ actionner: 'kubernetes:label', action: 'Mark pod' },
    };
  }
  return {
    ...common,
    rule: 'Capture on shell',
    ...(status === 'success' ? STORED : ENDS[status]),
    ...{ category: 'aws', output_target: 'aws:s3', actionner: 'kubernetes:tcpdump', action: 'Capture' },
  };
}
