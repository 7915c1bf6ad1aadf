import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalog } from '../cli/plugins/catalog.ts';
import { type Checked, checkRules } from './check-rules.ts';
import { ERRORS } from './errors.ts';
import { renderDiagnostics } from './render-diagnostics.ts';

/**
 * Rules files with faults, and all that is said about them. `name.yaml`, or several files `name.1.yaml`, `name.2.yaml`;
 * with `strict` in the name they are checked with --strict-talon. UPDATE_GOLDEN=1 renews the texts.
 */
const FOLDER = path.join(import.meta.dirname, 'testdata', 'diagnostics');
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
const groups = new Map<string, string[]>();
for (const file of files) {
  const name = file.replace(/(?:\.\d)?\.yaml$/, '');
  groups.set(name, [...(groups.get(name) ?? []), file]);
}

function checkGroup(name: string): Checked {
  const members = (groups.get(name) ?? []).sort();
  const sources = members.map((file) => ({ path: file, text: readFileSync(path.join(FOLDER, file), 'utf8') }));
  const readFile = () => ({ problem: 'no such file or directory' });
  return checkRules(sources, { catalog, readFile, strictTalon: name.includes('strict') });
}

describe('golden diagnostics', () => {
  test.each([...groups.keys()])('%s', (name) => {
    const { diagnostics, sources, records } = checkGroup(name);
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    const text = `${renderDiagnostics(diagnostics, sources, 'text')}\nFalco Talon's records:\n${lines.join('')}`;
    const golden = path.join(FOLDER, `${name}.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('show every code but those of files that cannot be read and of sizes', () => {
    const shown = new Set([...groups.keys()].flatMap((name) => checkGroup(name).diagnostics.map(({ code }) => code)));
    // Those of guard policies, T19, have their own tests.
    const missing = Object.keys(ERRORS).filter((code) => !shown.has(code) && !code.startsWith('T19'));
    expect(missing).toEqual([
      'T1001',
      'T1002',
      'T1003',
      'T1004',
      'T1005',
      'T1006',
      'T1106',
      'T1213',
      'T1214',
      'T1407',
      'T1509',
    ]);
  });
});
