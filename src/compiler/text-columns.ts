const NARROW = /^[\x20-\x7e]*$/;
/** Marks that are drawn over the character before them, joiners, and selectors of a form. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** East Asian wide characters, after Unicode's EastAsianWidth, and emoji. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])$/u;

/** How many columns of a terminal a text takes. A tab counts as one; what it takes depends on where it stands. */
export function columnsOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  return [...text].reduce((sum, character) => sum + (NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1), 0);
}
