import type { YamlFault } from './compose-yaml.ts';
import type { Findings } from './findings.ts';
import { readEntries } from './read-entries.ts';
import type { Source } from './source.ts';
import type { YamlNode } from './yaml-node.ts';

/** The documents of a file that is a list of entries; what is no YAML becomes findings. */
export function readDocuments(source: Source, findings: Findings): readonly (YamlNode | null)[] {
  const { documents, faults } = readEntries(source);
  for (const { code, start, end, message, hint } of firstOfLines(source, faults)) {
    const { line } = source.place(start, end);
    const tab = code === 'T1101' && /^ *\t/.test(source.line(line));
    findings.add(code, { source, start, end }, message, { hint: tab ? 'indent with spaces, not with tabs' : hint });
  }
  return documents;
}

/** Of the malformed places in a line, all but the first are mostly consequences. */
function firstOfLines(source: Source, faults: readonly YamlFault[]): YamlFault[] {
  const seen = new Set<number>();
  return faults.filter(({ code, start, end }) => {
    if (code !== 'T1101') return true;
    const { line } = source.place(start, end);
    const first = !seen.has(line);
    seen.add(line);
    return first;
  });
}
