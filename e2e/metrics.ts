/** One line of a Prometheus exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format: comments are left out, label values are unescaped. Throws on a line that it cannot read. */
export function parseMetrics(text: string): readonly Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseSample);
}

function parseSample(line: string): Sample {
  const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
  if (parts === null) throw new Error(`not a line of a metrics page: ${line}`);
  const [, name = '', labelText = '', value = ''] = parts;
  const labels: Record<string, string> = {};
  for (const [, key = '', escaped = ''] of labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[key] = escaped.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return { name, labels, value: Number(value) };
}
