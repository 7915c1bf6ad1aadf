import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { CertificateAuthority, type KeyPair } from './cluster/certificates.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import type { TestNamespace } from './cluster/test-namespace.ts';
import { useCluster } from './cluster/use-cluster.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { MARK_RULES } from './mark-rules.ts';
import { startLoki } from './peers/loki.ts';
import { startOpenSearch } from './peers/opensearch.ts';
import { parseMail } from './peers/parse-mail.ts';
import { usePeer } from './peers/peer.ts';
import { forward, type RecordedRequest, type Reply, startRecorder } from './peers/recorder.ts';
import { startSmtp } from './peers/smtp.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { Talon } from './talon.ts';
import { startTalon } from './talon-home.ts';

/** The same with an action for which the server has no rights. */
const FORBIDDEN_RULES = MARK_RULES.replace('kubernetes:label', 'kubernetes:networkpolicy').replace(/parameters:.*/, '');

/** The same with names that would add lines to headers, if line ends in them got there. */
const HOSTILE_RULES = MARK_RULES.replace('Mark on shell', '"Mark\\r\\nX-Injected: yes <b>"').replace(
  'Mark the pod',
  '"Mark\\r\\nBcc: evil@example.net"',
);

const cluster = useCluster();
let namespace: TestNamespace;
let talon: Talon | undefined;

beforeAll(async () => {
  namespace = await cluster.namespace('notices');
  await namespace.pod('web');
});
afterEach(async () => {
  await talon?.stop();
  talon = undefined;
});

describe('slack', () => {
  const slack = usePeer(startRecorder);
  const settings = () => ({ slack: { webhook_url: `${slack().url}/services/T0/B0/hook-secret-51c0` } });

  it('is sent a long message', async () => {
    const { traceId } = await mark({ notifiers: settings() });
    const [request] = await requestsOf(slack, 1);
    expect(request).toMatchObject({ method: 'POST', target: '/services/T0/B0/hook-secret-51c0' });
    expect(JSON.parse(request!.body)).toEqual({
      text: '[*SUCCESS*][*ACTION*] Rule: `Mark on shell` Action: `Mark the pod`',
      username: 'Falco Talon',
      icon_url: 'https://upload.wikimedia.org/wikipedia/commons/2/26/Circaetus_gallicus_claw.jpg',
      attachments: [
        {
          fallback: '',
          color: '#23ba47',
          footer: 'http://github.com/falcosecurity/falco-talon',
          fields: [
            { title: 'Rule', value: '`Mark on shell`', short: false },
            { title: 'Action', value: '`Mark the pod`', short: false },
            { title: 'Actionner', value: '`kubernetes:label`', short: true },
            { title: 'Status', value: '`success`', short: true },
            { title: 'Namespace', value: `\`${namespace.name}\``, short: true },
            { title: 'Pod', value: '`web`', short: true },
            { title: 'Event', value: '```Shell opened by root```', short: false },
            { title: 'Message', value: '`action`', short: false },
            { title: 'Trace ID', value: `\`${traceId}\``, short: false },
            {
              title: 'Output',
              value: `\`\`\`\nthe pod 'web' in the namespace '${namespace.name}' has been labeled\`\`\``,
              short: false,
            },
          ],
        },
      ],
    });
  });

  it('is sent a short message of a failure, as the environment says', async () => {
    const before = slack().requests.length;
    await mark({ notifiers: settings(), env: { NOTIFIERS_SLACK_FORMAT: 'short' }, rules: FORBIDDEN_RULES });
    const [request] = (await requestsOf(slack, before + 1)).slice(before);
    expect(JSON.parse(request!.body).attachments).toEqual([
      {
        fallback: '',
        color: '#e20b0b',
        text: '[*FAILURE*][*ACTION*] Rule: `Mark on shell` Action: `Mark the pod`',
        fields: null,
      },
    ]);
  });

  it('shows what an attacker chose as text', async () => {
    const before = slack().requests.length;
    const output = 'run <!channel> <@U123> & ```stop``` `now` <https://evil.example|login>';
    await mark({ notifiers: settings(), output });
    const [request] = (await requestsOf(slack, before + 1)).slice(before);
    const { fields } = JSON.parse(request!.body).attachments[0] as { fields: { title: string; value: string }[] };
    const value = fields.find(({ title }) => title === 'Event')!.value;
    expect(value).toContain('&lt;!channel&gt; &lt;@U123&gt; &amp;');
    expect(value.slice(3, -3)).not.toContain('`');
    expect(request!.body).not.toContain('<');
  });
});

describe('webhook', () => {
  const endpoint = usePeer(startRecorder);

  it('is sent the notice, with the keys in their order and the headers of the settings', async () => {
    const custom_headers = { Authorization: 'Bearer hook-token-77', 'X-Site': 'paris' };
    const { traceId } = await mark({ notifiers: { webhook: { url: `${endpoint().url}/talon?a=1`, custom_headers } } });
    const [request] = await requestsOf(endpoint, 1);
    expect(request).toMatchObject({ method: 'POST', target: '/talon?a=1' });
    expect(request!.headers).toMatchObject({
      authorization: 'Bearer hook-token-77',
      'x-site': 'paris',
      'user-agent': 'falco-talon',
      'content-type': 'application/json; charset=utf-8',
    });
    const notice = JSON.parse(request!.body) as Record<string, unknown>;
    expect(Object.entries(notice)).toEqual([
      ['objects', { Namespace: namespace.name, Pod: 'web' }],
      ['trace_id', traceId],
      ['rule', 'Mark on shell'],
      ['event', 'Shell opened by root'],
      ['message', 'action'],
      ['output', `the pod 'web' in the namespace '${namespace.name}' has been labeled`],
      ['actionner', 'kubernetes:label'],
      ['action', 'Mark the pod'],
      ['status', 'success'],
    ]);
  });
});

describe('loki', () => {
  const loki = usePeer(startLoki);
  const gate = usePeer(startRecorder);

  it('finds the line by its labels, sent with key and tenant', async () => {
    gate().reply((request) => letThrough(request, 'talon', 'loki-key-90ab', loki().url));
    const { traceId } = await mark({
      notifiers: { loki: { url: `${gate().url}/`, user: 'talon', api_key: 'loki-key-90ab', tenant: 'soc' } },
    });
    const found = await waitUntil('the line in Loki', async () => {
      const streams = await loki().query('soc', `{traceid="${traceId}"}`);
      return streams.length > 0 && streams;
    });
    expect(gate().requests).toMatchObject([{ target: '/loki/api/v1/push' }]);
    expect(found).toHaveLength(1);
    expect(found[0]!.stream).toMatchObject({
      status: 'success',
      message: 'action',
      rule: 'mark_on_shell',
      action: 'mark_the_pod',
      actionner: 'kubernetes:label',
      namespace: namespace.name,
      pod: 'web',
    });
    expect(found[0]!.values.map(([, line]) => line)).toEqual([
      `the pod 'web' in the namespace '${namespace.name}' has been labeled`,
    ]);
  });
});

describe('elasticsearch', () => {
  const opensearch = usePeer(startOpenSearch);
  const gate = usePeer(startRecorder);

  it('makes the template and the document, each with the credentials, and a search finds it', async () => {
    gate().reply((request) => letThrough(request, 'talon', 'search-secret-12', opensearch().url));
    const { traceId } = await mark({
      notifiers: {
        elasticsearch: {
          url: gate().url,
          user: 'talon',
          password: 'search-secret-12',
          number_of_shards: 1,
          number_of_replicas: 0,
        },
      },
    });
    const index = `falco-talon-${new Date().toISOString().slice(0, 10).replaceAll('-', '.')}`;
    const hits = await waitUntil('the document', async () => {
      const found = await opensearch()
        .search('falco-talon-*', { term: { 'trace_id.keyword': traceId } })
        .catch(() => []);
      return found.length > 0 && found;
    });
    expect(hits).toMatchObject([
      {
        _index: index,
        _source: {
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/),
          rule: 'Mark on shell',
          status: 'success',
          objects: { Namespace: namespace.name, Pod: 'web' },
        },
      },
    ]);
    const { index_templates } = (await opensearch().call('GET', '/_index_template/falco-talon')) as IndexTemplates;
    expect(index_templates[0]!.index_template).toMatchObject({
      index_patterns: ['falco-talon*'],
      template: { settings: { index: { number_of_shards: '1', number_of_replicas: '0' } } },
    });
    expect(gate().requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /_index_template/falco-talon',
      'PUT /_index_template/falco-talon',
      `POST /${index}/_doc`,
    ]);
  });

  it('begins an index a month if told so', async () => {
    const { traceId } = await mark({
      notifiers: {
        elasticsearch: { url: opensearch().url, index: 'security', suffix: 'monthly', number_of_replicas: 0 },
      },
    });
    const hits = await waitUntil('the document', async () => {
      const found = await opensearch()
        .search('security-*', { term: { 'trace_id.keyword': traceId } })
        .catch(() => []);
      return found.length > 0 && found;
    });
    expect(hits[0]!._index).toBe(`security-${new Date().toISOString().slice(0, 7).replace('-', '.')}`);
  });
});

describe('smtp', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let pair: KeyPair;
  const login = { user: 'talon', password: 'mail-secret-3e' };
  beforeAll(() => {
    folder = makeScratch();
    authority = new CertificateAuthority(folder);
    pair = authority.issue('mail', { commonName: 'mail', altNames: ['IP:127.0.0.1'] });
  });
  afterAll(() => removeScratch(folder));
  const starttls = usePeer(() => startSmtp({ security: 'starttls', pair, login }));
  const tls = usePeer(() => startSmtp({ security: 'tls', pair, login }));
  const locked = usePeer(() => startSmtp({ login }));
  const plain = usePeer(() => startSmtp());
  const settings = { from: 'talon@example.org', to: 'soc@example.org, oncall@example.org' };

  it('delivers a mail with text and HTML over STARTTLS, logged in', async () => {
    const { traceId } = await mark({
      notifiers: { smtp: { ...settings, ...login, host_port: starttls().hostPort, tls: true } },
      env: { NODE_EXTRA_CA_CERTS: authority.pair.certFile },
    });
    const mail = await waitUntil('the mail', () => starttls().mails()[0]);
    expect(mail).toMatchObject({
      from: 'talon@example.org',
      to: ['soc@example.org', 'oncall@example.org'],
      encrypted: true,
      user: 'talon',
    });
    const { headers, texts, defects } = parseMail(mail.raw);
    expect(defects).toEqual([]);
    expect(Object.fromEntries(headers)).toMatchObject({
      from: 'talon@example.org',
      to: 'soc@example.org, oncall@example.org',
      subject: "[falco-talon][success][action] Action 'Mark the pod' Rule 'Mark on shell'",
      'content-type': expect.stringMatching(/^multipart\/alternative/),
    });
    expect(texts['text/plain']!.trimEnd().split(/\r?\n/)).toEqual([
      'Status: success',
      'Action: Mark the pod',
      'Actionner: kubernetes:label',
      'Rule: Mark on shell',
      'Event: Shell opened by root',
      'Message: action',
      `Namespace: ${namespace.name}`,
      'Pod: web',
      'Output: ',
      `the pod 'web' in the namespace '${namespace.name}' has been labeled`,
      `Trace ID: ${traceId}`,
    ]);
    expect(texts['text/html']).toContain('#23ba47');
  });

  it('delivers a mail over TLS from the start, to a server that it trusts', async () => {
    const notifiers = {
      smtp: { ...settings, ...login, host_port: tls().hostPort, implicit_tls: true, format: 'text' },
    };
    await mark({ notifiers });
    await talon!.line({ message: 'notification', status: 'retrying', error: /certificate/ });
    expect(tls().mails()).toEqual([]);
    await talon!.stop();
    await mark({ notifiers, env: { NODE_EXTRA_CA_CERTS: authority.pair.certFile } });
    const mail = await waitUntil('the mail', () => tls().mails()[0]);
    expect(mail).toMatchObject({ encrypted: true, user: 'talon' });
    expect(Object.keys(parseMail(mail.raw).texts)).toEqual(['text/plain']);
  });

  it('sends no password in clear unless told so', async () => {
    const smtp = { ...settings, ...login, host_port: locked().hostPort };
    await mark({ notifiers: { smtp } });
    const refused = await talon!.line({ message: 'notification', notifier: 'smtp' });
    expect(refused.status).not.toBe('success');
    expect(refused.error).toMatch(/password|login|log in|TLS/);
    expect(JSON.stringify(talon!.lines)).not.toContain(login.password);
    await talon!.stop();
    await mark({ notifiers: { smtp: { ...smtp, allow_plain_auth: true } } });
    expect(await waitUntil('the mail', () => locked().mails()[0])).toMatchObject({ encrypted: false, user: 'talon' });
  });

  it('writes what an attacker chose as text, and adds no header to the mail', async () => {
    const before = plain().mails().length;
    const output = 'one\r\nBcc: <evil@example.net>\r\n.\r\n\r\n<script>alert(1)</script> ünï 🦅';
    await mark({ notifiers: { smtp: { ...settings, host_port: plain().hostPort } }, output, rules: HOSTILE_RULES });
    const mail = await waitUntil('the mail', () => plain().mails()[before]);
    expect(mail.to).toEqual(['soc@example.org', 'oncall@example.org']);
    const { headers, texts, defects } = parseMail(mail.raw);
    expect(defects).toEqual([]);
    const names = headers.map(([name]) => name);
    expect(names).not.toContain('bcc');
    expect(names).not.toContain('x-injected');
    expect(names).toEqual([...new Set(names)]);
    expect(texts['text/plain']).toContain('ünï 🦅');
    expect(texts['text/html']).toContain('&lt;script&gt;');
    expect(texts['text/html']).not.toContain('<script');
  });
});

describe('k8sevents', () => {
  it('is seen by the API server as an event of the pod', async () => {
    await cluster.allow({ kind: 'User', name: 'talon' }, [
      { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
    ]);
    const { traceId } = await mark({ default_notifiers: ['k8sevents'] });
    const [event] = await waitUntil('the event', async () => {
      const selector = encodeURIComponent('involvedObject.kind=Pod,involvedObject.name=web');
      const events = await cluster.api.list(`/api/v1/namespaces/${namespace.name}/events?fieldSelector=${selector}`);
      return events.length > 0 && events;
    });
    const pod = await namespace.find('web');
    expect(event).toMatchObject({
      reason: 'falco-talon:action:kubernetes:label:success',
      type: 'Normal',
      action: 'kubernetes:label',
      source: { component: 'falco-talon' },
      reportingComponent: 'falcosecurity.org/falco-talon',
      reportingInstance: 'falco-talon',
      involvedObject: { kind: 'Pod', namespace: namespace.name, name: 'web', uid: pod?.metadata.uid },
      message: [
        'Status: success',
        'Message: action',
        'Rule: Mark on shell',
        'Action: Mark the pod',
        'Actionner: kubernetes:label',
        'Event: Shell opened by root',
        `Namespace: ${namespace.name}`,
        'Pod: web',
        `Output: the pod "web" in the namespace "${namespace.name}" has been labeled`,
        `TraceID: ${traceId}`,
        '',
      ].join('\n'),
    } satisfies Partial<KubeObject> | object);
  });
});

interface IndexTemplates {
  readonly index_templates: readonly { readonly index_template: Readonly<Record<string, unknown>> }[];
}

interface MarkOptions {
  readonly notifiers?: Readonly<Record<string, unknown>>;
  readonly default_notifiers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly rules?: string;
  readonly output?: string;
}

/** Starts a server whose notifiers are all of those in the settings, and has it act on one alert. */
async function mark(options: MarkOptions): Promise<{ readonly traceId: string }> {
  const { notifiers = {}, default_notifiers = Object.keys(notifiers), env = {} } = options;
  const { rules = MARK_RULES, output = 'Shell opened by root' } = options;
  const settings = { notifiers, default_notifiers };
  talon = await startTalon({ rules, kubeconfig: cluster.kubeconfig(), settings, env });
  const fields = { 'k8s.ns.name': namespace.name, 'k8s.pod.name': 'web' };
  const [first] = await talon.handle(alertBody({ rule: 'mark', output, fields }));
  return { traceId: first!.trace_id! };
}

/** Waits for so many requests in all. */
function requestsOf(recorder: () => { readonly requests: readonly RecordedRequest[] }, count: number) {
  return waitUntil(
    `${count} requests`,
    () => {
      const { requests } = recorder();
      return requests.length >= count && requests;
    },
    { describe: () => JSON.stringify(talon?.lines.slice(-6), null, 1) },
  );
}

/** What a proxy with passwords answers. */
function letThrough(
  request: RecordedRequest,
  user: string,
  password: string,
  upstream: string,
): Reply | Promise<Reply> {
  const wanted = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return request.headers.authorization === wanted ? forward(upstream, request) : { status: 401 };
}
