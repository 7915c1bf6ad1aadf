import type { Door } from '../../model/capability.ts';
import { SPOOLED } from '../../runtime/plugins/executor-fixture.ts';

const POD = { kind: 'pod', name: 'web', namespace: 'shop' } as const;
const CONTAINER = { kind: 'container', name: 'main', pod: POD } as const;
const POLICY = { name: 'web', change: 'created' } as const;

/** Answers of doors with which every plug-in succeeds whose example is run. For tests. */
export const GOOD_WORLD: Partial<Record<Door, unknown>> = {
  'pods.owner': { kind: 'ReplicaSet', name: 'web-1' },
  'pods.workload': { kind: 'workload', name: 'web', namespace: 'shop', labels: { app: 'web' } },
  'pods.containerIds': ['0123456789abcdef'],
  'nodes.pods': [
    { pod: POD, ownerKind: 'ReplicaSet', mirror: false, self: false },
    { pod: { ...POD, name: 'db' }, ownerKind: 'StatefulSet', mirror: false, self: false },
  ],
  'captures.inPod': CONTAINER,
  'captures.onNode': { container: CONTAINER, job: 'falco-talon-sysdig-0a1b2' },
  'networkpolicies.apply': POLICY,
  'calico.deny': POLICY,
  'cilium.deny': POLICY,
  'lambda.invoke': { status: 200, body: '{}' },
  'functions.call': { status: 200, body: 'done' },
  'http.send': { status: 201, statusLine: '201 Created', body: '{}', artifact: SPOOLED },
  'files.put': '/var/lib/falco-talon/key',
};

/** An alert that has all fields that actionners ask for. */
export const ALL_FIELDS: Readonly<Record<string, string>> = {
  'k8s.pod.name': 'web',
  'k8s.ns.name': 'shop',
  'ka.target.name': 'web',
  'ka.target.namespace': 'shop',
  'ka.target.resource': 'deployments',
  'fd.rip': '203.0.113.7',
  'fd.name': '/etc/motd',
};

/** Texts that break what is not careful. */
export const HOSTILE: readonly string[] = [
  `'; touch /tmp/x; '`,
  '"quoted"',
  'two\nlines\r\nmore',
  `$(id) \`id\` \${HOME}`,
  '../../etc/passwd',
  '\u0000',
  '\u202eexe.txt',
  '💥',
  '<!channel> <script>alert(1)</script> [a](b)',
  'x'.repeat(1 << 20),
];
