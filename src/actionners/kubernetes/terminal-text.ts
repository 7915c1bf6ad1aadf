const ESCAPE = '\u001b';
/** Control sequences (colours, cursor), commands with a text (titles, links), and what is left of ECMA-48. */
const SEQUENCES = [
  `(?:${ESCAPE}\\[|\u009b)[0-?]*[ -/]*[@-~]`,
  `${ESCAPE}[\\]PX^_][^\u0007${ESCAPE}]*(?:\u0007|${ESCAPE}\\\\)?`,
  `${ESCAPE}[ -/]*[0-~]`,
];
const ANY_SEQUENCE = new RegExp(SEQUENCES.join('|'), 'g');

/** A text without the sequences by which programs talk to a terminal. */
export function withoutEscapes(text: string): string {
  return text.replace(ANY_SEQUENCE, '');
}

/** Characters of an output; what takes it over takes some more. */
const LONGEST_OUTPUT = 63_900;

/** What a program wrote, as the output of an action. */
export function outputText(stdout: string, truncated: boolean): string {
  const plain = withoutEscapes(stdout);
  if (!truncated && plain.length <= LONGEST_OUTPUT) return plain;
  return `${plain.slice(0, LONGEST_OUTPUT)}\n[the rest of the output is left out]`;
}
