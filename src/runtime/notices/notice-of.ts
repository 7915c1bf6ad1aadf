import type { Notice } from '../../model/notice.ts';
import type { Objects, Outcome, StepEnd } from '../../model/outcome.ts';
import type { Step } from '../enrich.ts';

/** What people are told of: that an action ended, or that its output did. */
export type NoticedEnd =
  | { readonly kind: 'action'; readonly end: StepEnd }
  /** `output` is the id of the output, `category:name`. */
  | { readonly kind: 'output'; readonly output: string; readonly outcome: Outcome };

/** Longest texts in a notice, in UTF-16 units; senders of alerts choose some of them. What was done may be the lines of a log. */
const LONGEST_TEXT = 8_192;
const LONGEST_OUTPUT = 64_000;

type Texts = Pick<Notice, 'status' | 'result' | 'output' | 'error'>;

/**
 * What is told of an end: the record that Falco Talon gives to its notifiers, with the rule and the actionner also for
 * outputs, and with the status that the step has.
 *
 * @param at milliseconds since 1970 when it happened
 */
export function noticeOf({ head }: Pick<Step, 'head'>, ended: NoticedEnd, at: number): Notice {
  const { alert, rule, action, actionner } = head;
  const end = ended.kind === 'action' ? ended.end : ended.outcome;
  const objects = titled(end.objects);
  const { status, ...texts } = textsOf(end);
  return {
    time: new Date(at).toISOString(),
    ...(objects && { objects }),
    trace_id: alert.trace_id,
    rule,
    ...(ended.kind === 'action' && alert.output !== '' && { event: shorten(alert.output, LONGEST_TEXT) }),
    message: ended.kind,
    ...texts,
    ...(ended.kind === 'output' && { category: ended.output.split(':', 1)[0] as string, output_target: ended.output }),
    actionner,
    action,
    status,
  };
}

function textsOf(end: StepEnd): Texts {
  switch (end.status) {
    case 'success':
      return { status: 'success', ...filled('output', shorten(end.output, LONGEST_OUTPUT)) };
    case 'ignored':
      return { status: 'ignored', ...filled('result', shorten(end.result, LONGEST_TEXT)) };
    case 'failure':
      return { status: 'failure', ...filled('error', shorten(end.error, LONGEST_TEXT)) };
    case 'denied':
    case 'parked':
      return { status: end.status, ...filled('result', shorten(`${end.policy}: ${end.reason}`, LONGEST_TEXT)) };
  }
}

function filled<Key extends string>(key: Key, text: string): Partial<Record<Key, string>> {
  return text === '' ? {} : ({ [key]: text } as Record<Key, string>);
}

/** Keys begin with a capital, and have no other: `function_response` becomes `Function_response`. Empty values say nothing. */
function titled(objects: Objects): Objects | undefined {
  const entries = Object.entries(objects).filter(([, value]) => value !== '');
  if (entries.length === 0) return undefined;
  return Object.fromEntries(entries.map(([key, value]) => [title(key), value]));
}

function title(key: string): string {
  return key.slice(0, 1).toUpperCase() + key.slice(1).toLowerCase();
}

/** Never in the middle of a pair of surrogates. */
function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
