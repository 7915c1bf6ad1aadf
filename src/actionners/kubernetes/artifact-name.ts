/** Bytes of UTF-8 that the spool takes for a name. */
const LONGEST = 255;

/** The name under which the file of a path is stored: `_etc_passwd` for `/etc/passwd`, with nothing in it that is a path or no text. */
export function artifactName(path: string): string {
  let name = '';
  let bytes = 0;
  for (const character of path) {
    const safe = isSafe(character) ? character : '_';
    bytes += bytesOf(safe);
    if (bytes > LONGEST) break;
    name += safe;
  }
  return /^\.{0,2}$/.test(name) ? `_${name.slice(1)}` : name;
}

function isSafe(character: string): boolean {
  return character > '\u001f' && character !== '\u007f' && character !== '/' && character !== '\\';
}

function bytesOf(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x80) return 1;
  if (point < 0x800) return 2;
  return point < 0x10000 ? 3 : 4;
}
