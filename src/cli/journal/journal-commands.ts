import { Argument, Option } from 'commander';
import { formatOption, type Run, type TalonCommand } from '../talon-command.ts';
import {
  type JournalFlags,
  PLAN_STATES,
  parseLimit,
  parseNoticeIds,
  parsePlanId,
  parsePlanIds,
  parsePlanStates,
  parseSince,
} from './journal-flags.ts';
import type { JournalListFlags } from './journal-list.ts';
import type { JournalNoticesFlags } from './journal-notices.ts';
import type { JournalResendFlags } from './journal-resend.ts';
import type { JournalRetryFlags } from './journal-retry.ts';

/** Plans or notices that a list has if not told otherwise. */
const DEFAULT_LIMIT = 50;

/** Adds the commands that look at what became of alerts, beside a running server or without one. */
export function addJournalCommands(program: TalonCommand, run: Run): void {
  const journal = program.command('journal').documented('Look at accepted alerts and what became of them', {
    description:
      'Look at the journal: the file in which the server keeps the alerts that rules matched, and what became of their plans. All but `repair` works beside a running server. The file is that of the configuration, or of --journal.',
    examples: [
      ['talon journal list --state parked', 'What waits for a decision'],
      ['talon journal retry 42', 'Run the steps of a plan again that failed or were stopped'],
    ],
  });
  addList(journal, run);
  addShow(journal, run);
  addRetry(journal, run);
  addDrop(journal, run);
  addNotices(journal, run);
  addResend(journal, run);
  addRepair(journal, run);
}

function command(journal: TalonCommand, name: string): TalonCommand {
  return journal.command(name).option('--journal <file>', 'the journal; if not given, that of the configuration');
}

function addList(journal: TalonCommand, run: Run): void {
  command(journal, 'list')
    .documented('List plans', {
      description:
        'List the plans in the journal, newest first: the open ones, then those that were parked, failed or cannot be run, then the others.',
      examples: [
        ['talon journal list', 'What is open or went wrong, and the newest of the rest'],
        ['talon journal list --state failed --since 24h', 'What failed since yesterday'],
        ['talon journal list --rule "Kill miners" --format json', 'Plans of one rule, for programs'],
      ],
    })
    .addOption(
      new Option('--state <state>', `only plans in this state (${PLAN_STATES.join(', ')}); repeat it for several`)
        .argParser(parsePlanStates)
        .default([], 'all'),
    )
    .option('--rule <name>', 'only plans of this rule, by its name or that of the rule of Falco')
    .option('--since <when>', 'only alerts since then: 30m, 24h, 7d, or a date', parseSince)
    .addOption(new Option('--limit <n>', 'how many at most').argParser(parseLimit).default(DEFAULT_LIMIT))
    .addOption(formatOption(['text', 'json'], 'how to print the plans'))
    .action((flags: JournalListFlags) =>
      run(async (context) => (await import('./journal-list.ts')).journalList(context, flags)),
    );
}

function addShow(journal: TalonCommand, run: Run): void {
  command(journal, 'show')
    .documented('Show a plan', {
      description:
        'Show all that the journal knows of a plan: its alert, its steps and everything that happened to them, and whom it still has to tell.',
      examples: [
        ['talon journal show 42', 'For people'],
        ['talon journal show 42 --format json', 'For programs'],
      ],
    })
    .addArgument(new Argument('<id>', 'number of the plan').argParser(parsePlanId))
    .addOption(formatOption(['text', 'json'], 'how to print the plan'))
    .action((id: number, flags: JournalFlags) =>
      run(async (context) => (await import('./journal-show.ts')).journalShow(context, id, flags)),
    );
}

function addRetry(journal: TalonCommand, run: Run): void {
  command(journal, 'retry')
    .documented('Try plans again', {
      description:
        'Open plans again that failed, were parked or dropped, or could not be run: their steps that did not succeed are run once more, the others are not. A running server begins within a second, else the next one does at its start.',
      examples: [
        ['talon journal retry 42 43', 'Two plans'],
        ['talon journal retry --state parked', 'All that a guard parked'],
        [
          'talon journal retry 42 --allow',
          'Let a parked plan act though its guard cannot decide or its budget is spent',
        ],
      ],
    })
    .addArgument(new Argument('[id...]', 'numbers of plans').argParser(parsePlanIds).default([]))
    .addOption(
      new Option('--state <state>', 'all plans in this state, in place of numbers').choices([
        'parked',
        'failed',
        'dead',
        'dropped',
      ]),
    )
    .option('--allow', 'let parked steps act where a guard would park them again; what a guard denies stays denied')
    .addOption(formatOption(['text', 'json'], 'how to print what was done'))
    .action((ids: readonly number[], flags: JournalRetryFlags) =>
      run(async (context) => (await import('./journal-retry.ts')).journalRetry(context, ids, flags)),
    );
}

function addDrop(journal: TalonCommand, run: Run): void {
  command(journal, 'drop')
    .documented('Give plans up', {
      description:
        'Give up plans that failed, were parked or cannot be run. They stay in the journal as dropped until they are too old. Open ones can be dropped while no server runs.',
      examples: [['talon journal drop 42', 'Never mind that plan']],
    })
    .addArgument(new Argument('<id...>', 'numbers of plans').argParser(parsePlanIds))
    .addOption(formatOption(['text', 'json'], 'how to print what was done'))
    .action((ids: readonly number[], flags: JournalFlags) =>
      run(async (context) => (await import('./journal-drop.ts')).journalDrop(context, ids, flags)),
    );
}

function addNotices(journal: TalonCommand, run: Run): void {
  command(journal, 'notices')
    .documented('List what notifiers are still to be told', {
      description:
        'List the notices that wait for being sent or for another try, and those that were given up (dead), the oldest first. What was sent is in the log alone.',
      examples: [
        ['talon journal notices', 'What waits, and what was given up'],
        ['talon journal notices --dead --format json', 'What was given up, for programs'],
      ],
    })
    .option('--dead', 'only those that were given up')
    .addOption(new Option('--limit <n>', 'how many at most').argParser(parseLimit).default(DEFAULT_LIMIT))
    .addOption(formatOption(['text', 'json'], 'how to print the notices'))
    .action((flags: JournalNoticesFlags) =>
      run(async (context) => (await import('./journal-notices.ts')).journalNotices(context, flags)),
    );
}

function addResend(journal: TalonCommand, run: Run): void {
  command(journal, 'resend')
    .documented('Send notices that were given up', {
      description:
        'Have notices sent that were given up, with as many tries as a new one has. A running server begins within a second, else the next one does at its start.',
      examples: [
        ['talon journal resend 7 8', 'Two notices'],
        ['talon journal resend --all', 'All that were given up, once their notifier is back'],
      ],
    })
    .addArgument(new Argument('[id...]', 'numbers of notices').argParser(parseNoticeIds).default([]))
    .option('--all', 'all that were given up, in place of numbers')
    .addOption(formatOption(['text', 'json'], 'how to print what was done'))
    .action((ids: readonly number[], flags: JournalResendFlags) =>
      run(async (context) => (await import('./journal-resend.ts')).journalResend(context, ids, flags)),
    );
}

function addRepair(journal: TalonCommand, run: Run): void {
  command(journal, 'repair')
    .documented('Save what can be read of a damaged journal', {
      description:
        'Write what can be read of a damaged journal into a new one, and keep the damaged file beside it. Says what was lost. Open plans whose progress may be incomplete are parked for you to decide. No server may use the journal meanwhile. Ends with 1 if something was lost.',
      examples: [['talon journal repair', 'Repair the configured journal']],
    })
    .addOption(formatOption(['text', 'json'], 'how to print what was found'))
    .action((flags: JournalFlags) =>
      run(async (context) => (await import('./journal-repair.ts')).journalRepair(context, flags)),
    );
}
