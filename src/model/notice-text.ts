import type { Notice, NoticeStatus } from './notice.ts';

/** What texts of notices have in common, whoever is told. Senders of alerts choose much of what stands in them. */

/** The objects of a notice in the order of their keys. */
export function noticeObjects({ objects = {} }: Notice): readonly (readonly [key: string, value: string])[] {
  return Object.entries(objects).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The record as Falco Talon's webhook has it: its keys in its order, without those that say nothing, and without the time. */
export function noticeRecord(notice: Notice): Readonly<Record<string, unknown>> {
  const { trace_id, rule, event, message, result, output, category, output_target, actionner, action } = notice;
  const { error, status } = notice;
  const objects = Object.fromEntries(noticeObjects(notice));
  const filled = Object.entries({
    ...{ trace_id, rule, event, message, result, output, category, output_target, actionner, action, error, status },
  }).filter(([, value]) => value !== undefined && value !== '');
  return { ...(Object.keys(objects).length > 0 && { objects }), ...Object.fromEntries(filled) };
}

/**
 * A text as people are to see it: with plain line ends, without what a terminal or a screen could take for a command, and
 * without what turns the direction of writing, by which a text can look like another one.
 */
export function visibleText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/\s*\n\s*/g, ' ');
}

/** The beginning of a text that has at most so many bytes in UTF-8; characters stay whole. */
export function cutToBytes(text: string, bytes: number): string {
  let left = bytes;
  let length = 0;
  for (const character of text) {
    left -= byteLength(character);
    if (left < 0) return text.slice(0, length);
    length += character.length;
  }
  return text;
}

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** The colours by which people know how it ended. Falco Talon has the first three. */
const COLORS: Readonly<Record<NoticeStatus, string>> = {
  success: '#23ba47',
  failure: '#e20b0b',
  ignored: '#a4a8b1',
  denied: '#a4a8b1',
  parked: '#e2a20b',
};

export function statusColor(status: NoticeStatus): string {
  return COLORS[status];
}
