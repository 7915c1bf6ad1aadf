import type { Door } from '../../model/capability.ts';
import { decodeParameters } from '../../model/decode-parameters.ts';
import type { Notifier } from '../../model/definition.ts';
import type { Notice } from '../../model/notice.ts';
import { parameterFacts } from '../../model/parameters.ts';
import type { ParameterMap } from '../../model/rule.ts';
import { sampleNotice } from '../../model/sample-notice.ts';

/** Notices for tests. */
export const ACTION = sampleNotice('action', 'success', '2026-03-01T10:00:00.123Z');
export const OUTPUT = sampleNotice('output', 'success', '2026-03-01T10:00:07.000Z');

/** Texts that senders of alerts would like to see go wrong. */
export const HOSTILE: readonly string[] = [
  `quotes " ' \` and \\`,
  'lines\r\nBcc: evil@example.org\nStatus: success\r.\r\n',
  `$(id) \${HOME} %s {{.}} ../../etc/passwd`,
  '<!channel> <@U1> <script>alert(1)</script> &amp; @everyone ```',
  'emoji 🦅 \u{1f1eb}\u{1f1f7}',
  'nul \0 and \u001b[31m red',
  'turned \u202egnp.exe\u202c',
  'x'.repeat(1_000_000),
];

/** The same hostile text wherever a notice may have one. */
export function hostileNotice(text: string, status: Notice['status'] = 'failure'): Notice {
  const texts = { rule: text, action: text, event: text, output: text, error: text, result: text };
  return { ...ACTION, ...texts, status, objects: { Pod: text, Namespace: 'shop' } };
}

/** A call that a notifier made. */
export type NotifierCall = readonly [door: string, ...given: unknown[]];

/**
 * Runs the code of a notifier on doors that note their calls, with its settings as the sandbox has them.
 *
 * @param answers what the calls are answered, in their order; after them `200 OK`
 */
export async function sendWith(
  notifier: Notifier,
  settings: ParameterMap,
  notice: Notice = ACTION,
  { first = false, answers = [] }: { readonly first?: boolean; readonly answers?: readonly object[] } = {},
): Promise<readonly NotifierCall[]> {
  const calls: NotifierCall[] = [];
  const left = [...answers];
  const decoded = decodeParameters(notifier.settings, settings);
  if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join());
  const shown = Object.entries(decoded.value).filter(
    ([name]) => !parameterFacts(notifier.settings.shape[name] as never).secret,
  );
  const door =
    (name: string) =>
    async (_: unknown, ...given: unknown[]) => {
      calls.push([name, ...given]);
      return { status: 200, statusLine: '200 OK', body: '', artifact: null, ...left.shift() };
    };
  const { behaviour } = notifier;
  await behaviour.send({
    settings: Object.fromEntries(shown),
    notice,
    targets: {
      endpoint: { kind: 'endpoint', ref: 0, name: 'example.org' },
      mailbox: { kind: 'mailbox', ref: 1, name: 'mail' },
      subject: { kind: 'subject', ref: 2, name: 'cart-6f7d', namespace: 'shop' },
    },
    first,
    use: Object.fromEntries(behaviour.uses.map((name: Door) => [name, door(name)])) as never,
    sleep: async () => {},
  });
  return calls;
}

/** What a notifier leads to. @throws Error with the problems of the settings */
export function reachOf(notifier: Notifier, settings: ParameterMap) {
  const decoded = decodeParameters(notifier.settings, settings);
  if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join());
  return notifier.behaviour.reach?.(decoded.value);
}

/** The body of the first request that a notifier sent. */
export function bodyOf([call]: readonly NotifierCall[]): string {
  const request = call?.[1] as { readonly body?: string } | undefined;
  return request?.body ?? '';
}
