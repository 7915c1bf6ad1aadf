import { describe, expect, it } from 'vitest';
import type { Mail } from '../model/capability.ts';
import { sampleNotice } from '../model/sample-notice.ts';
import { ACTION, HOSTILE, hostileNotice, OUTPUT, reachOf, sendWith } from '../runtime/plugins/notifier-fixture.ts';
import { smtp } from './smtp.ts';

const settings = {
  host_port: 'mail.example.org:587',
  from: 'talon@example.org',
  to: 'soc@example.org, oncall@example.org',
};

async function mailOf(more: object = {}, notice = ACTION): Promise<Mail> {
  const calls = await sendWith(smtp, { ...settings, ...more }, notice);
  expect(calls).toHaveLength(1);
  return calls[0]?.[1] as Mail;
}

describe('a mail', () => {
  it('has a subject and a plain text', async () => {
    expect(await mailOf({ format: 'text' })).toEqual({
      subject: "[falco-talon][success][action] Action 'Mark pod' Rule 'Label on shell'",
      text:
        'Status: success\nAction: Mark pod\nActionner: kubernetes:label\nRule: Label on shell\n' +
        'Event: A shell was spawned in a container (user=root shell=bash)\nMessage: action\nNamespace: shop\nPod: cart-6f7d\n' +
        "Output: \nthe pod 'cart-6f7d' in the namespace 'shop' has been labeled\nTrace ID: 0af7651916cd43dd8448eb211c80319c\n",
    });
  });

  it('names error, result and target', async () => {
    const { subject, text } = await mailOf(
      {},
      { ...OUTPUT, status: 'failure', objects: {}, output: '', error: 'e', result: 'r' },
    );
    expect(subject).toBe(
      "[falco-talon][failure][output] OutputTarget 'aws:s3' Action 'Capture' Rule 'Capture on shell'",
    );
    expect(text).toBe(
      'Status: failure\nAction: Capture\nActionner: kubernetes:tcpdump\nRule: Capture on shell\nMessage: output\n' +
        'Error: e\nResult: r\nOutputTarget: aws:s3\nTrace ID: 0af7651916cd43dd8448eb211c80319c\n',
    );
  });

  it('has HTML too by default, with the same subject', async () => {
    const { subject, text, html = '' } = await mailOf({}, { ...OUTPUT, output: 'one\ntwo' });
    expect(subject).toBe(
      "[falco-talon][success][output] OutputTarget 'aws:s3' Action 'Capture' Rule 'Capture on shell'",
    );
    expect(text).toMatch(/^Status: success\n/);
    const cells = [...html.matchAll(/<td style="[^"]*">(.*?)<\/td>/g)].map((match) => match[1]);
    expect(cells).toEqual([
      ...['Action', 'Capture', 'Actionner', 'kubernetes:tcpdump', 'Rule', 'Capture on shell'],
      ...['Bucket', 'forensics', 'File', 'tcpdump.pcap', 'Key', OUTPUT.objects?.Key, 'Prefix', 'pcap/'],
      ...['Region', 'eu-west-1', 'Target', 'aws:s3', 'Message', 'output', 'Trace ID', OUTPUT.trace_id],
      ...['Output', 'one<br>two'],
    ]);
  });

  it.each([
    ['success', '#23ba47'],
    ['failure', '#e20b0b'],
    ['ignored', '#a4a8b1'],
    ['denied', '#a4a8b1'],
    ['parked', '#e2a20b'],
  ] as const)('shows %s in a bar of the colour %s', async (status, color) => {
    const { html } = await mailOf({}, sampleNotice('action', status, ACTION.time));
    expect(html).toMatch(new RegExp(`<td colspan="2" style="[^"]*background-color:${color};[^"]*">${status}</td>`));
  });

  it.each(HOSTILE)('shows any text as text: %.20s', async (text) => {
    const { subject, text: plain, html = '' } = await mailOf({}, hostileNotice(text));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const unseen = /[\0-\x08\x0b-\x1f\u202a-\u202e]/;
    for (const each of [subject, plain, html]) expect(each).not.toMatch(unseen);
    expect(subject).not.toMatch(/\n/);
    expect(subject.length).toBeLessThanOrEqual(900);
    expect(subject).toMatch(/^\[falco-talon\]\[failure\]\[action\] Action '/);
    const tags = new Set([...html.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map((match) => match[1]?.toLowerCase()));
    expect([...tags].sort()).toEqual(
      ['!doctype', 'body', 'br', 'h1', 'head', 'html', 'meta', 'table', 'td', 'title', 'tr'].filter(
        (tag) => tag !== 'br' || text.includes('\n'),
      ),
    );
    expect(plain.split('\nOutput: ')[0]).not.toMatch(/\n(Status: success|Bcc:)/);
  });
});

describe('the mailbox', () => {
  const plain = {
    ...{ server: 'mail.example.org:587', from: 'talon@example.org', to: ['soc@example.org', 'oncall@example.org'] },
    ...{ user: '', password: '', security: 'none', allowPlainLogin: false },
  };
  it.each([
    [{}, {}],
    [{ tls: true }, { security: 'starttls' }],
    [{ tls: 'true', implicit_tls: true }, { security: 'tls' }],
    [{ host_port: 'mail.example.org:465' }, { server: 'mail.example.org:465', security: 'tls' }],
    [{ host_port: '[::1]:25' }, { server: '[::1]:25' }],
    [
      { user: 'u', password: 'p', allow_plain_auth: true },
      { user: 'u', password: 'p', allowPlainLogin: true },
    ],
    [{ to: 'soc@example.org,' }, { to: ['soc@example.org'] }],
  ])('of %j is %j', (given, expected) => {
    expect(reachOf(smtp, { ...settings, ...given })).toEqual({ mailbox: { ...plain, ...expected } });
  });

  it.each([
    [{ host_port: undefined }, 'wrong `host_port` setting'],
    [{ host_port: 'mail.example.org' }, 'wrong `host_port` setting'],
    [{ host_port: 'smtp://mail.example.org:25' }, 'wrong `host_port` setting'],
    [{ from: '' }, "Key: 'Parameters.From' Error:Field validation for 'From' failed on the 'required' tag"],
    [{ to: undefined }, "Key: 'Parameters.To' Error:Field validation for 'To' failed on the 'required' tag"],
  ])('cannot be %j', (given, problem) => {
    const all = Object.entries({ ...settings, ...given }).filter(([, value]) => value !== undefined);
    expect(() => reachOf(smtp, Object.fromEntries(all) as Record<string, string>)).toThrow(problem);
  });
});
