import * as z from 'zod';
import { type Catalog, defineNotifier, type Notifier } from '../../model/definition.ts';
import { action, rule } from '../test-pipeline.ts';
import type { NoticedStep } from './notices.ts';

// For tests: who is told, and of what.

function notifier(id: string): Notifier {
  const made = defineNotifier({
    id,
    description: '',
    settings: z.object({ url: z.string().default('') }),
    example: '',
    behaviour: { uses: [], deadline: 10, send: async () => undefined },
  });
  return made as unknown as Notifier;
}

export const NOTIFIERS: Catalog['notifiers'] = new Map(['a', 'b'].map((id) => [id, notifier(id)]));

/** A step of a rule with these notifiers. */
export function noticed(notifiers: readonly string[] = [], output = 'a shell'): NoticedStep {
  const alert = { rule: 'Falco', priority: 'Notice', source: 'syscall', output, trace_id: 'f'.repeat(32) };
  const head = { alert, rule: 'R', action: 'label', actionner: 'test:label' };
  return { alert: 1, number: 0, step: { head, rule: rule('R', [action('label')], { notifiers }) } };
}
