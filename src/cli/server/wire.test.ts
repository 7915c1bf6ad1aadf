import { expect, it } from 'vitest';
import type { StoredPolicy } from '../../model/journal.ts';
import { MemoryJournal } from '../../runtime/memory-journal.ts';
import { loadSettings } from '../settings/settings.ts';
import { wireServer } from './wire.ts';
import type { WiringOptions } from './wiring-options.ts';

/** On a disk that is full. */
class FullJournal extends MemoryJournal {
  override keepPolicy(_: StoredPolicy): Promise<void> {
    return new Promise(() => undefined);
  }

  override onHealth(listener: (writable: boolean, reason: string) => void): void {
    setImmediate(() => listener(false, 'the journal j.db cannot be written: database or disk is full'));
  }
}

it('refuses to start on a disk that is full, and says so', async () => {
  const options = {
    settings: loadSettings({ configFile: undefined, rulesFlags: [], env: {} }),
    engine: { revision: 'r', rules: [], guards: [] },
    journal: new FullJournal(),
  };
  await expect(wireServer(options as unknown as WiringOptions)).rejects.toMatchObject({
    code: 'journal',
    message: 'the journal j.db cannot be written: database or disk is full',
  });
});
