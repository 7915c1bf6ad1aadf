import { cpSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertBody } from './alert.ts';
import { CertificateAuthority } from './cluster/certificates.ts';
import { kubeconfig } from './cluster/kubeconfig.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { LogLine, Talon } from './talon.ts';
import { TalonHome, type TalonOptions } from './talon-home.ts';

/** Alerts whose plans are open, since nothing answers where the API server should be. */
const ALERTS = 40;
const RULES = `
- rule: Label
  match: {rules: [alert]}
  actions:
    - action: Label
      actionner: kubernetes:label
      parameters: {labels: {seen: "true"}}
`;

/** Damages a copy of the journal's folder. */
type Damage = (file: string) => void;

const DAMAGES: readonly (readonly [string, 'settled' | 'killed', Damage])[] = [
  ['the file ends in the middle', 'settled', (file) => truncateSync(file, Math.floor(statSync(file).size / 2))],
  ['the file ends in the middle of a page', 'settled', (file) => truncateSync(file, statSync(file).size - 1_000)],
  ['the file is empty', 'settled', (file) => truncateSync(file, 0)],
  ['the file is gone and its log is there', 'killed', (file) => rmSync(file)],
  ['the head of the file is overwritten', 'settled', (file) => overwrite(file, 0, 64)],
  ['a page in the middle is overwritten', 'settled', (file) => overwrite(file, pageInTheMiddle(file), 4_096)],
  [
    'the file is another one',
    'settled',
    (file) => writeFileSync(file, 'These are the notes of somebody else.\n'.repeat(500)),
  ],
  ['one letter of an alert is another one', 'settled', (file) => replaceText(file, 'alert 17 ', 'alert 71 ')],
  ['the log is overwritten in the middle', 'killed', (file) => overwrite(`${file}-wal`, middle(`${file}-wal`), 4_096)],
  ['one letter in the log is another one', 'killed', (file) => replaceText(`${file}-wal`, 'alert 17 ', 'alert 71 ')],
];

describe('a damaged journal', () => {
  const folder = makeScratch();
  let options: TalonOptions;

  beforeAll(async () => {
    const ca = new CertificateAuthority(folder).pair.cert;
    options = { rules: RULES, kubeconfig: kubeconfig('https://127.0.0.1:1', { ca, token: 'none' }) };
    await keepJournal('killed', 'KILL');
    await keepJournal('settled', 'TERM');
  });
  afterAll(() => removeScratch(folder));

  it.each(['settled', 'killed'] as const)('that is whole is gone on with: %s', async (state) => {
    const home = await homeWith(state, () => undefined);
    const talon = await home.start();
    expect(await resumed(talon)).toBe(ALERTS);
    await talon.stop('KILL');
    home.remove();
  });

  it('whose log was torn off in its last write is gone on with: nothing of that was answered', async () => {
    // What a crash leaves: the last transaction is there in part.
    const home = await homeWith('killed', (file) => truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 100));
    const talon = await home.start();
    const found = await resumed(talon);
    console.log(`e2e: log torn off in its last write: ${found} of ${ALERTS} plans go on`);
    // The last transaction tells of progress or of one alert, which in a crash would not have been answered yet.
    expect(found).toBeGreaterThanOrEqual(ALERTS - 1);
    await talon.stop('KILL');
    home.remove();
  });

  it.each(DAMAGES)('is refused with a clear message, or nothing is lost: %s', async (what, state, damage) => {
    const home = await homeWith(state, damage);
    const talon = home.launch();
    const code = await Promise.race([
      talon.exited,
      talon.untilHealthy().then(
        () => undefined,
        () => talon.exited,
      ),
    ]);
    if (code === undefined) {
      const found = await resumed(talon);
      await talon.stop('KILL');
      console.log(`e2e: ${what}: started, ${found} of ${ALERTS} plans go on`);
      expect(found).toBe(ALERTS);
    } else {
      const fatal = talon.lines.find(({ level }) => level === 'fatal');
      console.log(`e2e: ${what}: refused: ${fatal?.error}`);
      expect(code).toBe(1);
      expect(fatal?.error).toContain(home.files.journal);
      expect(fatal?.error).toMatch(/damaged|not a journal|missing/);
      expect([...talon.stray, JSON.stringify(talon.lines)].join('\n')).not.toMatch(/^\s+at /m);
    }
    home.remove();
  });

  it('can be repaired: what can be read is gone on with, the damaged file is kept, and what is lost is told', async () => {
    const home = await homeWith('settled', (file) => replaceText(file, 'alert 17 ', 'alert 71 '));
    const { code, stdout, stderr } = await home.journal('repair', '--journal', home.files.journal);
    console.log(`e2e: talon journal repair ended with ${code}: ${(stdout + stderr).trim()}`);
    expect(stdout + stderr).toMatch(new RegExp(`\\b${ALERTS - 1}\\b`));
    const talon = await home.start();
    expect(await resumed(talon)).toBe(ALERTS - 1);
    await talon.stop('KILL');
    home.remove();
  });

  /** Lets a server take the alerts, ends it, and keeps the folder of its journal. */
  async function keepJournal(name: string, signal: 'KILL' | 'TERM'): Promise<void> {
    const home = await TalonHome.make({ ...options, settings: { shutdown_grace_seconds: 1 } });
    const talon = await home.start();
    for (let n = 0; n < ALERTS; n += 1) {
      const fields = { 'k8s.ns.name': 'shop', 'k8s.pod.name': `pod-${n}`, padding: 'x'.repeat(5_000) };
      await talon.post(alertBody({ rule: 'alert', output: `alert ${n} about a pod`, fields }));
    }
    await talon.stop(signal);
    cpSync(join(home.folder, 'state'), join(folder, name), { recursive: true });
    if (signal === 'KILL') expect(existsSync(join(folder, name, 'journal.db-wal'))).toBe(true);
    home.remove();
  }

  async function homeWith(state: string, damage: Damage): Promise<TalonHome> {
    const home = await TalonHome.make(options);
    cpSync(join(folder, state), join(home.folder, 'state'), { recursive: true });
    damage(home.files.journal);
    return home;
  }
});

/** How many plans a server says to go on with: all of them, or as many as it said when nothing more comes. */
async function resumed(talon: Talon): Promise<number> {
  const isResumed = ({ message, result }: LogLine) => message === 'journal' && /goes on$/.test(result ?? '');
  const count = () => talon.lines.filter(isResumed).length;
  let seen = -1;
  while (seen < count() && count() < ALERTS) {
    seen = count();
    await sleep(1_500);
  }
  return count();
}

function middle(file: string): number {
  return Math.floor(statSync(file).size / 2);
}

function pageInTheMiddle(file: string): number {
  return middle(file) - (middle(file) % 4_096);
}

function overwrite(file: string, position: number, length: number): void {
  writeFileSync(file, readFileSync(file).fill(0xa5, position, position + length));
}

/** Wherever the file has the text. */
function replaceText(file: string, text: string, other: string): void {
  const content = readFileSync(file, 'latin1');
  if (!content.includes(text)) throw new Error(`${file} does not hold the text '${text}'`);
  writeFileSync(file, content.replaceAll(text, other), 'latin1');
}
