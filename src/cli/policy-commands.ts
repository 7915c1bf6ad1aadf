import type { CompileFlags } from './compile.ts';
import type { EvalFlags } from './eval.ts';
import type { ExplainFlags } from './explain.ts';
import type { RbacFlags } from './rbac.ts';
import type { RulesCheckFlags } from './rules-check.ts';
import { formatOption, type Run, type TalonCommand } from './talon-command.ts';

/** Adds the commands that work on rules files and bundles, and need neither server nor cluster. */
export function addPolicyCommands(program: TalonCommand, run: Run): void {
  addCompile(program, run);
  addEval(program, run);
  addExplain(program, run);
  addRbac(program, run);
  const rules = program.command('rules').documented('Manage the rules files', {
    description: 'Check the rules files, or print the rules that come out of them.',
    examples: [],
  });
  addCheck(rules.command('check'), run);
  addPrint(rules, run);
  addCheck(program.command('check', { hidden: true }), run);
}

function addCompile(program: TalonCommand, run: Run): void {
  program
    .command('compile')
    .documented('Compile rules files into a policy bundle', {
      description:
        'Compile rules files and guard policies into a policy bundle, and run their tests. The rules files are those given here and by -r, in order; without any, the configured ones.',
      examples: [
        ['talon compile rules.yaml -o bundle.tar.gz', 'Compile a file into a bundle'],
        ['talon compile rules.yaml -p policies.yaml -o bundle.tar.gz', 'With guard policies in it'],
        ['talon compile rules.yaml override.yaml --test', 'Check the files and run the *.test.yaml files beside them'],
        ['talon compile --test rules/ --junit report.xml', 'Run all tests below a folder, with a report for CI'],
      ],
    })
    .argument('[rules...]', 'rules files, in order')
    .option('-o, --output <file>', 'where to write the bundle (tar.gz)')
    .option('--test [dir]', 'run the *.test.yaml files below a folder, or beside the rules files')
    .option('--junit <file>', 'where to write the test results as JUnit XML')
    .option('--strict-talon', 'refuse what Falco Talon itself would not understand')
    .addOption(formatOption(['text', 'json', 'github'], 'how to print diagnostics and results'))
    .action((files: string[], flags: CompileFlags) =>
      run(async (context) => (await import('./compile.ts')).compileCommand(context, files, flags)),
    );
}

function addEval(program: TalonCommand, run: Run): void {
  program
    .command('eval')
    .documented('Evaluate alerts and print the plans', {
      description:
        'Evaluate alerts and print the plan of each: which rules match and which actions would run, in order. Nothing is run. Alerts are JSON, one per file or one per line; without files they come from stdin.',
      examples: [
        ['talon eval alert.json -r rules.yaml', 'Plan of one alert'],
        [
          'talon eval alerts.jsonl --bundle bundle.tar.gz --format json',
          'Plans of many alerts, from a bundle, as JSON lines',
        ],
        ['tail -f /var/log/falco.json | talon eval -r rules.yaml', 'Plans of the alerts that a running Falco writes'],
      ],
    })
    .argument('[alerts...]', 'files with alerts, - for stdin')
    .option('--bundle <file>', 'a compiled bundle, in place of rules files')
    .addOption(formatOption(['text', 'json'], 'how to print the plans'))
    .action((files: string[], flags: EvalFlags) =>
      run(async (context) => (await import('./eval.ts')).evalCommand(context, files, flags)),
    );
}

function addExplain(program: TalonCommand, run: Run): void {
  program
    .command('explain')
    .documented('Explain why rules match an alert or not', {
      description: 'Explain for every rule why it matches an alert, or which of its terms failed and why.',
      examples: [
        ['talon explain alert.json -r rules.yaml', 'Why did my rule not match?'],
        ['talon explain alert.json -r rules.yaml --rule "Kill miners" --all', 'Every term of one rule'],
      ],
    })
    .argument('[alerts...]', 'files with alerts, - for stdin')
    .option('--bundle <file>', 'a compiled bundle, in place of rules files')
    .option('--rule <name>', 'explain this rule only')
    .option('--all', 'show the terms that hold, too')
    .addOption(formatOption(['text', 'json'], 'how to print the explanation'))
    .action((files: string[], flags: ExplainFlags) =>
      run(async (context) => (await import('./explain.ts')).explainCommand(context, files, flags)),
    );
}

function addRbac(program: TalonCommand, run: Run): void {
  program
    .command('rbac')
    .documented('Print the least rights for rules', {
      description:
        'Print the ClusterRole that rules, their guards, outputs and notifiers need, and nothing beyond it; and in comments what clouds must allow. Default notifiers count where a configuration is given.',
      examples: [
        ['talon rbac bundle.tar.gz | kubectl apply -f -', 'Give a bundle its rights'],
        ['talon rbac -r rules.yaml -c config.yaml', 'Rights for rules files, and for the default notifiers'],
        ['talon rbac -r rules.yaml --format json', 'As JSON, for programs'],
      ],
    })
    .argument('[bundle]', 'a compiled bundle, in place of rules files')
    .option('--name <name>', 'name of the role', 'falco-talon')
    .addOption(formatOption(['text', 'json'], 'how to print them'))
    .action((bundle: string | undefined, flags: RbacFlags) =>
      run(async (context) => (await import('./rbac.ts')).rbac(context, bundle, flags)),
    );
}

function addCheck(command: TalonCommand, run: Run): void {
  command
    .documented('Check the rules files', {
      description:
        "Check the rules files and the guard policies together, as the server would load them. Prints Falco Talon's log lines on stdout, and on stderr each finding drawn at its place. Ends with 1 if the server would refuse the files.",
      examples: [
        ['talon rules check -r rules.yaml -r override.yaml', 'Check two files together'],
        ['talon rules check -r rules.yaml --format github', 'As annotations of a GitHub workflow'],
      ],
    })
    .option('--strict-talon', 'refuse what Falco Talon itself would not understand')
    .addOption(
      formatOption(['text', 'json', 'github'], 'how to print the findings; json and github replace the log lines'),
    )
    .action((flags: RulesCheckFlags) =>
      run(async (context) => (await import('./rules-check.ts')).rulesCheck(context, flags)),
    );
}

function addPrint(rules: TalonCommand, run: Run): void {
  rules
    .command('print')
    .documented('Print the merged rules', {
      description:
        'Print the rules that come out of all rules files, merged and with their action references filled in, as YAML.',
      examples: [['talon rules print -r rules.yaml -r override.yaml', 'What two files together mean']],
    })
    .action(() => run(async (context) => (await import('./rules-print.ts')).rulesPrint(context)));
}
