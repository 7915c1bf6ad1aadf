import { Argument, Option } from 'commander';
import { formatOption, type Run, type TalonCommand } from '../talon-command.ts';
import type { NotifiersTestFlags } from './notifiers-test.ts';

/** For completion, without loading the plug-ins; a test compares them with the catalog. */
export const NOTIFIERS = ['k8sevents', 'slack', 'smtp', 'webhook', 'loki', 'elasticsearch'] as const;

/** Adds what acts on notifiers to their group. */
export function addNotifiersTest(group: TalonCommand, run: Run): void {
  group
    .command('test')
    .documented('Send a sample notice', {
      description:
        'Send a sample notice to a notifier, with the settings of the configuration and in the way in which the server does it: once, without another try. Nothing else is done. Ends with 1 if the notice was not taken.',
      examples: [
        ['talon notifiers test slack -c config.yaml', 'Try the settings of Slack'],
        ['talon notifiers test smtp -c config.yaml --status failure', 'See what a failed action looks like'],
        ['talon notifiers test loki -c config.yaml --stage output --format json', 'As JSON, for programs'],
      ],
    })
    .addArgument(new Argument('<name>', 'the notifier').choices(NOTIFIERS).argParser((name) => name.toLowerCase()))
    .addOption(
      new Option('--stage <stage>', 'what the notice is about').choices(['action', 'output']).default('action'),
    )
    .addOption(
      new Option('--status <status>', 'how it ended')
        .choices(['success', 'failure', 'ignored', 'denied', 'parked'])
        .default('success'),
    )
    .addOption(formatOption(['text', 'json'], 'how to print what became of it'))
    .action((name: string, flags: NotifiersTestFlags) =>
      run(async (context) => (await import('./notifiers-test.ts')).notifiersTest(context, name, flags)),
    );
}
