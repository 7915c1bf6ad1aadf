import { isUtf8 } from 'node:buffer';
import type { Findings } from './findings.ts';
import { Source } from './source.ts';

/**
 * A rules file for the compiler: its bytes, its text, or why there is neither (the words of the operating system, such as
 * `no such file or directory`). The path is what diagnostics call it; nothing is read from there.
 */
export type SourceFile =
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly bytes: Uint8Array }
  | { readonly path: string; readonly problem: string };

/** The largest rules file, in bytes. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** The text of a rules file, or undefined with the reason among the findings. A byte order mark is taken off. */
export function read(file: SourceFile, findings: Findings): Source | undefined {
  if (!findings.seeFile(file.path)) {
    findings.add('T1509', startOf(file.path), `\`${file.path}\` is given twice: what stands in it counts twice`);
  }
  if ('problem' in file) {
    // A folder can be opened, but not read.
    const failed = file.problem === 'is a directory' ? 'read' : 'open';
    const record = { error: `${failed} ${file.path}: ${file.problem}` };
    const hint = pathHint(file.path, file.problem);
    findings.add('T1001', startOf(file.path), `cannot read \`${file.path}\`: ${file.problem}`, { hint, record });
    return undefined;
  }
  const size = 'bytes' in file ? file.bytes.length : Buffer.byteLength(file.text);
  if (size > MAX_FILE_BYTES) {
    findings.add('T1004', startOf(file.path), `\`${file.path}\` has more than ${MAX_FILE_BYTES} bytes`);
    return undefined;
  }
  const text = 'bytes' in file ? decode(file.path, file.bytes, findings) : file.text;
  return text === undefined ? undefined : withoutControls(file.path, text.replace(/^\ufeff/, ''), findings);
}

function pathHint(path: string, problem: string): string | undefined {
  if (problem === 'is a directory') return 'name the files in it';
  return path.includes(',') ? 'a comma does not separate files: repeat -r' : undefined;
}

function decode(path: string, bytes: Uint8Array, findings: Findings): string | undefined {
  const encoding = otherEncoding(bytes);
  if (encoding) {
    findings.add('T1002', startOf(path), `\`${path}\` is ${encoding}, not UTF-8`);
    return undefined;
  }
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const offset = firstInvalidByte(bytes);
  const before = new Source(path, Buffer.from(bytes.subarray(0, offset)).toString('utf8'));
  const value = (bytes[offset] ?? 0).toString(16).padStart(2, '0');
  const spot = { source: before, start: before.text.length, end: before.text.length };
  findings.add('T1002', spot, `byte 0x${value} at offset ${offset} is not UTF-8`);
  return undefined;
}

/** UTF-16 and UTF-32, told by their marks or by the zero bytes that they put beside the first character. */
function otherEncoding(bytes: Uint8Array): string | undefined {
  const [a = 1, b = 1, c = 1, d = 1] = bytes;
  if ((a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0 && d !== 0)) return 'UTF-32';
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return 'UTF-16';
  return (a === 0) !== (b === 0) && (c === 0) !== (d === 0) && bytes.length > 3 ? 'UTF-16' : undefined;
}

/** The length of the longest valid part at the start. */
function firstInvalidByte(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (validNear(bytes, middle) === undefined) high = middle - 1;
    else low = middle;
  }
  return validNear(bytes, low) ?? 0;
}

/** The length of a valid start that ends at `end` or, since that may cut a character, up to three bytes before it. */
function validNear(bytes: Uint8Array, end: number): number | undefined {
  return [0, 1, 2, 3].map((back) => end - back).find((length) => length >= 0 && isUtf8(bytes.subarray(0, length)));
}

function withoutControls(path: string, text: string, findings: Findings): Source | undefined {
  const source = new Source(path, text);
  const at = text.search(CONTROL);
  if (at < 0) return source;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
  findings.add('T1003', { source, start: at, end: at + 1 }, `control character U+${code} in the text`);
  return undefined;
}

function startOf(path: string): { source: Source; start: number; end: number } {
  return { source: new Source(path, ''), start: 0, end: 0 };
}
