import type { Notice } from '../../model/notice.ts';

/** UTF-16 units of all notices that are kept; a hundred or a thousand of the usual ones. */
const ROOM = 256 * 1024;

/**
 * What notices say, for those that are sent soon: few need to be read from the journal as long as all goes well. The rest is
 * forgotten, so that memory is bounded however many wait.
 */
export class NoticeTexts {
  readonly #notices = new Map<number, { readonly notice: Notice; readonly size: number }>();
  #size = 0;

  /** Keeps one if there is room. */
  keep(id: number, notice: Notice): void {
    this.take(id);
    const size = sizeOf(notice);
    if (this.#size + size > ROOM) return;
    this.#notices.set(id, { notice, size });
    this.#size += size;
  }

  /** Gives one back, and forgets it. */
  take(id: number): Notice | undefined {
    const kept = this.#notices.get(id);
    if (!kept) return undefined;
    this.#notices.delete(id);
    this.#size -= kept.size;
    return kept.notice;
  }
}

/** What a notice takes at the least, and its texts. */
const LEAST_SIZE = 512;

function sizeOf({ event = '', output = '', error = '', result = '', objects = {} }: Notice): number {
  const facts = Object.values(objects).reduce((sum, value) => sum + value.length, 0);
  return LEAST_SIZE + event.length + output.length + error.length + result.length + facts;
}
