import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { startLoki } from './peers/loki.ts';
import { startOpenSearch } from './peers/opensearch.ts';
import { parseMail } from './peers/parse-mail.ts';
import { usePeer } from './peers/peer.ts';
import { startRecorder } from './peers/recorder.ts';
import { startSmtp } from './peers/smtp.ts';
import { secretsWritten } from './secrets-written.ts';
import type { Talon } from './talon.ts';
import { TalonHome } from './talon-home.ts';

const RULES = `
- rule: "Mark 'it'\\r\\nX-Injected: yes <b>\`&"
  match: {rules: [mark]}
  actions:
    - action: "Mark\\r\\nBcc: evil@example.net"
      actionner: kubernetes:label
      parameters: {labels: {suspicious: "true"}}
`;

/** What alerts may bring in, one after the other. */
const OUTPUTS: Readonly<Record<string, string>> = {
  'line ends and commands of SMTP': 'one\r\n.\r\nMAIL FROM:<evil@example.net>\r\nBcc: evil@example.net\r\n\r\nbody',
  'markup of all kinds':
    '</td><script>alert(1)</script> *bold* `code` ```block``` <!channel> <@U1> {{.Env}} $HOME $(id)',
  'quotes and backslashes': String.raw`"'\" \u0000 \r\n ' OR 1=1 -- %s %n {"a":"b"}`,
  'control characters': 'NUL \u0000 bell \u0007 escape \u001b[31m delete \u007f right-to-left \u202e zero \u200b end',
  'what is no Unicode, and much of it': 'lone \ud800 half \udc00 🦅 ünïcödé',
  'a lot': `${'🦅 a long text, '.repeat(40_000)}end`,
};

describe('what an attacker chose, told to all notifiers', () => {
  const cluster = useCluster();
  const slack = usePeer(startRecorder);
  const webhook = usePeer(startRecorder);
  const loki = usePeer(startLoki);
  const opensearch = usePeer(startOpenSearch);
  const smtp = usePeer(() => startSmtp());
  let namespace: TestNamespace;
  let home: TalonHome;
  let talon: Talon;
  const notifiers = () => ({
    slack: { webhook_url: `${slack().url}/services/hook-secret-e1` },
    webhook: { url: `${webhook().url}/hook-secret-e2`, custom_headers: { Authorization: 'Bearer hook-secret-e3' } },
    loki: { url: loki().url, tenant: 'soc', user: 'talon', api_key: 'hook-secret-e4' },
    elasticsearch: { url: opensearch().url, user: 'talon', password: 'hook-secret-e5', number_of_replicas: 0 },
    smtp: { host_port: smtp().hostPort, from: 'talon@example.org', to: 'soc@example.org' },
  });

  beforeAll(async () => {
    namespace = await cluster.namespace('hostile');
    await namespace.pod('web');
    await cluster.allow({ kind: 'User', name: 'talon' }, [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ]);
    const settings = { notifiers: notifiers(), default_notifiers: [...Object.keys(notifiers()), 'k8sevents'] };
    home = await TalonHome.make({ rules: RULES, kubeconfig: cluster.kubeconfig(), settings });
    talon = await home.start();
  });
  afterAll(async () => {
    await talon?.stop();
    home?.remove();
  });

  it.each(Object.entries(OUTPUTS))('%s', async (_, output) => {
    const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': 'web' };
    const [first] = await talon.handle(alertBody({ rule: 'mark', output, fields }));
    const traceId = first!.trace_id!;
    const told = () => talon.about(traceId).filter(({ message }) => message === 'notification');
    await waitUntil('all six to be told', () => told().length >= 6, {
      timeout: 30_000,
      describe: () => JSON.stringify(told()),
    });
    expect(told().map(({ notifier, status, error }) => ({ notifier, status, error }))).toEqual(
      expect.arrayContaining(
        ['slack', 'webhook', 'loki', 'elasticsearch', 'smtp', 'k8sevents'].map((notifier) => ({
          notifier,
          status: 'success',
          error: undefined,
        })),
      ),
    );
    const mail = smtp()
      .mails()
      .find(({ raw }) => raw.includes(traceId));
    expect(mail?.to).toEqual(['soc@example.org']);
    const { headers, texts, defects } = parseMail(mail!.raw);
    expect(defects).toEqual([]);
    const names = headers.map(([name]) => name);
    expect([...names].sort()).toEqual([...new Set(names)].sort());
    for (const injected of ['bcc', 'x-injected']) expect(names).not.toContain(injected);
    expect(Object.keys(texts)).toEqual(['text/plain', 'text/html']);
    expect(texts['text/html']).not.toContain('<script');
    expect(await loki().query('soc', `{traceid="${traceId}"}`)).toHaveLength(1);
    expect(await opensearch().search('falco-talon-*', { term: { 'trace_id.keyword': traceId } })).toHaveLength(1);
    for (const peer of [slack(), webhook()]) {
      const request = peer.requests.find(({ body }) => body.includes(traceId));
      expect(request?.headers['x-injected']).toBeUndefined();
      expect(() => JSON.parse(request!.body)).not.toThrow();
    }
  });

  it('tells no secret of a notifier, and nothing a terminal would act on', async () => {
    const secrets = ['e1', 'e2', 'e3', 'e4', 'e5'].map((end) => `hook-secret-${end}`);
    expect(await secretsWritten(talon, home, secrets)).toEqual([]);
    expect(talon.stray).toEqual([]);
  });
});
