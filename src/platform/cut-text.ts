/** Bytes of an answer that are kept. */
export const LONGEST_ANSWER = 256 * 1024;

/** The text of an answer, without what is too much of it. */
export function cutText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, LONGEST_ANSWER), { stream: bytes.length > LONGEST_ANSWER });
}
