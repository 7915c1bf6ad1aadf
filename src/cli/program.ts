import { Argument, Option } from 'commander';
import { buildInfo } from './build-info.ts';
import type { DemoFlags } from './demo.ts';
import { addJournalCommands } from './journal/journal-commands.ts';
import { addNotifiersTest } from './plugins/notifiers-commands.ts';
import { addPolicyCommands } from './policy-commands.ts';
import { SHELLS, type Shell } from './shells.ts';
import { formatOption, type Run, TalonCommand } from './talon-command.ts';
import { drawsColor } from './terminal.ts';

interface FormatFlag {
  readonly format: 'text' | 'json';
}

/**
 * The whole command line: every command with its flags, help and examples. `run` gets the chosen command's action; actions
 * import their code when they run, so that `version` does not load the server.
 */
export function buildProgram(name: string, run: Run): TalonCommand {
  const program = new TalonCommand(name)
    .documented('Response engine for Falco', {
      description:
        'Talon is a response engine for Falco: your rules say which actions answer an alert, such as labeling the pod or ending it. It reads the rules files of Falco Talon, compiles them into a policy bundle and runs what the bundle plans.',
      examples: [
        ['talon rules check -r rules.yaml', 'Check rules files'],
        ['talon compile rules.yaml -o bundle.tar.gz --test', 'Compile them and run the tests beside them'],
        ['talon server -c config.yaml', 'Start the server'],
      ],
    })
    .configureHelp({ showGlobalOptions: true })
    .addOption(new Option('-r, --rules <file>', 'rules file; repeat it for several').argParser(collect).default([]))
    .addOption(
      new Option('-p, --policies <file>', 'file of guard policies; repeat it for several')
        .argParser(collect)
        .default([]),
    )
    .option('-c, --config <file>', 'configuration file')
    .version(`${name} ${buildInfo.version}`)
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError();
  for (const option of program.options) option.hidden = option.long === '--version';
  addServer(program, run);
  addPolicyCommands(program, run);
  addJournalCommands(program, run);
  addCatalogLists(program, run);
  addDemo(program, run);
  addVersion(program, run);
  addCompletion(program, run);
  addHelp(program);
  return program;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

/** Where Falco Talon's server looks without `-c`. */
const SERVER_CONFIG = '/etc/falco-talon/config.yaml';

function addServer(program: TalonCommand, run: Run): void {
  program
    .command('server')
    .documented('Start the server', {
      description: `Start the server: it takes alerts of Falco or Falcosidekick over HTTP, evaluates the rules and runs the actions that they plan. It takes up rules and policies that change, also on SIGHUP. Without -c it reads ${SERVER_CONFIG}.`,
      examples: [
        ['talon server -c config.yaml', 'Start with a configuration file'],
        [
          'talon server -c config.yaml -r rules.yaml -r override.yaml',
          'Use these rules files in place of the configured ones',
        ],
        ['talon server -c config.yaml --bundle bundle.tar.gz', 'Serve a bundle that `talon compile` made'],
        ['TALON_DRY_RUN=true talon server -c config.yaml', 'Log what would be done and do nothing'],
      ],
    })
    .option('--bundle <file>', 'serve a compiled bundle, in place of rules and policies')
    .action(({ bundle }: { readonly bundle?: string }) =>
      run(async ({ terminal, globals }) => {
        // Before the server is loaded, which makes garbage as well.
        (await import('./server/small-heap.ts')).keepHeapSmall();
        const { runServer } = await import('./server/server.ts');
        const { config: configFile = SERVER_CONFIG, rules: rulesFlags, policies: policiesFlags } = globals;
        const { env, err } = terminal;
        const color = drawsColor(terminal, 'err');
        return runServer({ configFile, rulesFlags, policiesFlags, bundleFile: bundle, env, err, color });
      }),
    );
}

function addCatalogLists(program: TalonCommand, run: Run): void {
  const lists = {
    actionners: { what: 'Actionners', load: async () => (await import('./plugins/actionners-list.ts')).actionnersList },
    outputs: { what: 'Outputs', load: async () => (await import('./plugins/outputs-list.ts')).outputsList },
    notifiers: { what: 'Notifiers', load: async () => (await import('./plugins/notifiers-list.ts')).notifiersList },
  };
  for (const [name, { what, load }] of Object.entries(lists)) {
    const group = program
      .command(name)
      .documented(`Manage the ${what}`, { description: `Manage the ${what}.`, examples: [] });
    group
      .command('list')
      .documented(`List the available ${what}`, {
        description: `List the available ${what} with their parameters, permissions and an example each.`,
        examples: [
          [`talon ${name} list`, 'As YAML documents, for people'],
          [`talon ${name} list --format json`, 'As JSON, for programs'],
        ],
      })
      .addOption(formatOption(['text', 'json'], 'how to print the list'))
      .action(({ format }: FormatFlag) =>
        run(async ({ terminal }) => {
          terminal.out((await load())(format));
          return 0;
        }),
      );
    if (name === 'notifiers') addNotifiersTest(group, run);
  }
}

function addDemo(program: TalonCommand, run: Run): void {
  program
    .command('demo')
    .documented('Show what Talon does, with recorded alerts', {
      description:
        'Start the server on a free local port with the shipped rules, send it recorded Falco alerts and show for each the matched rules, the plan and the outcome. It acts on the cluster of KUBECONFIG where that is set; otherwise all is a dry run.',
      examples: [
        ['talon demo', 'Replay the alerts'],
        ['talon demo --dry-run', 'Leave the cluster of KUBECONFIG alone'],
      ],
    })
    .option('--dry-run', 'act on no cluster, even if KUBECONFIG is set')
    .action((flags: DemoFlags) => run(async (context) => (await import('./demo.ts')).demo(context, flags)));
}

function addVersion(program: TalonCommand, run: Run): void {
  program
    .command('version')
    .documented('Print the version', {
      description: 'Print the version, the commit it was built from and the runtime that it runs on.',
      examples: [['talon version --format json', 'As JSON, for programs']],
    })
    .addOption(formatOption(['text', 'json'], 'how to print it'))
    .action(({ format }: FormatFlag) =>
      run(async ({ terminal }) => (await import('./version.ts')).version(terminal, format)),
    );
}

function addCompletion(program: TalonCommand, run: Run): void {
  program
    .command('completion')
    .documented('Print a completion script for a shell', {
      description: 'Print the script that makes a shell complete commands and flags.',
      examples: [
        ['source <(talon completion bash)', 'Completion in this bash session'],
        ['source <(talon completion zsh)', 'Completion in this zsh session'],
        ['talon completion fish > ~/.config/fish/completions/talon.fish', 'Completion in every fish session'],
        ['talon completion powershell | Out-String | Invoke-Expression', 'Completion in this PowerShell session'],
      ],
    })
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell: Shell) =>
      run(async ({ terminal }) => (await import('./completion.ts')).completionScript(terminal, shell)),
    );
  program
    .command('complete', { hidden: true })
    .documented('Answer a completion script', { description: 'What the completion scripts ask.', examples: [] })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) =>
      run(async ({ terminal }) => (await import('./completion.ts')).completeWords(terminal, program, words)),
    );
}

function addHelp(program: TalonCommand): void {
  program
    .command('help')
    .documented('Help about any command', {
      description: 'Show the help of a command.',
      examples: [['talon help rules check', 'Help of `rules check`']],
    })
    .argument('[command...]', 'the command')
    .action((names: readonly string[]) => {
      let command = program;
      for (const name of names) {
        const next = command.commands.find((each) => each.name() === name);
        if (!next) command.error(`error: unknown command '${names.join(' ')}'`, { exitCode: 1 });
        else command = next as TalonCommand;
      }
      command.help();
    });
}
