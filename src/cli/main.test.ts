import { describe, expect, test } from 'vitest';
import { runCli } from './main.ts';
import { recordingTerminal, type TerminalSetup } from './recording-terminal.ts';

async function talon(line: string, setup: TerminalSetup = {}) {
  const terminal = recordingTerminal(setup);
  const code = await runCli(line.split(' ').filter(Boolean), terminal);
  return { code, out: terminal.stdout(), err: terminal.stderr() };
}

describe('help', () => {
  test.each(['', 'help', '--help', '-h'])('`talon %s` prints the usage on stdout', async (line) => {
    const { code, out, err } = await talon(line);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Usage:\n  talon [command]\n');
    expect(out).toMatch(/^ {2}compile {2,}Compile rules files into a policy bundle$/m);
    expect(out).not.toMatch(/^ {2}(check|complete) /m);
  });

  test.each(['rules', 'actionners', 'outputs', 'notifiers'])(
    '`talon %s` alone prints the usage of the group',
    async (group) => {
      const { code, out, err } = await talon(group);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toContain(`Usage:\n  talon ${group} [command]\n`);
    },
  );

  test('a command shows its examples, its flags and those of all commands', async () => {
    const { out } = await talon('rules check --help');
    expect(out).toContain('Usage:\n  talon rules check [flags]\n');
    expect(out).toContain(
      'Examples:\n  # Check two files together\n  talon rules check -r rules.yaml -r override.yaml\n',
    );
    expect(out).toMatch(/^Flags:$[\s\S]*--strict-talon[\s\S]*^Global Flags:$[\s\S]*-r, --rules <file>/m);
    expect(out).toMatch(/-c, --config <file>/);
  });

  test('`help rules check` is the help of that command', async () => {
    expect((await talon('help rules check')).out).toBe((await talon('rules check --help')).out);
  });

  test('every command that is shown has examples that name it', async () => {
    const { out } = await talon('help');
    const names = [...out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map((match) => match[1] ?? '');
    expect(names).toContain('explain');
    for (const name of names.filter((each) => !['actionners', 'outputs', 'notifiers', 'rules'].includes(each))) {
      expect((await talon(`${name} --help`)).out).toMatch(new RegExp(`^Examples:$[\\s\\S]*talon ${name}`, 'm'));
    }
  });

  test('the name is the one that the program was called by', async () => {
    expect((await talon('rules check --help', { program: 'falco-talon' })).out).toContain(
      '  falco-talon rules check -r',
    );
  });
});

describe('a wrong command line ends with 1, on stderr', () => {
  test.each([
    ['frobnicate', "unknown command 'frobnicate'", 'talon'],
    ['compil', 'Did you mean compile?', 'talon'],
    ['rules chekc', 'Did you mean check?', 'talon rules'],
    ['rules frobnicate', "unknown command 'frobnicate'", 'talon rules'],
    ['help rules frobnicate', "unknown command 'rules frobnicate'", 'talon rules'],
    ['rules check --nope', "unknown option '--nope'", 'talon rules check'],
    ['rules check --stric-talon', 'Did you mean --strict-talon?', 'talon rules check'],
    ['rules check --rule x', 'Did you mean --rules?', 'talon rules check'],
    ['version --format yaml', 'Allowed choices are text, json', 'talon version'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish, powershell', 'talon completion'],
    ['completion', "missing required argument 'shell'", 'talon completion'],
    ['version now', 'too many arguments', 'talon version'],
    ['-r', "option '-r, --rules <file>' argument missing", 'talon'],
  ])('%s', async (line, message, command) => {
    const { code, out, err } = await talon(line);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(message);
    expect(err).toMatch(/^Error: /);
    expect(err).toMatch(new RegExp(`Run '${command} --help' for usage\\.\\n$`));
  });
});

describe('version', () => {
  test("prints Falco Talon's seven lines, with this runtime in place of Go", async () => {
    const { code, out } = await talon('version');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.slice(0, 15))).toEqual([
      'GitVersion:    ',
      'GitCommit:     ',
      'GitTreeState:  ',
      'BuildDate:     ',
      'NodeVersion:   ',
      'V8Version:     ',
      'Platform:      ',
      '',
      '',
    ]);
    expect(out).toContain(`NodeVersion:   ${process.version}\n`);
  });

  test('as JSON', async () => {
    const { out } = await talon('version --format json');
    expect(JSON.parse(out)).toMatchObject({ version: 'devel', nodeVersion: process.version });
  });

  test.each(['-c nowhere.yaml version', 'version -r a,b -c nowhere.yaml'])(
    'takes the flags of all commands: %s',
    async (line) => {
      expect((await talon(line)).code).toBe(0);
    },
  );
});

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('prints a script for %s that asks the program', async (shell) => {
    const { code, out } = await talon(`completion ${shell}`, { program: 'falco-talon' });
    expect(code).toBe(0);
    expect(out).toMatch(/falco-talon complete/);
  });

  test('the script for bash needs no other package, can be read twice, and leaves file names to bash', async () => {
    const { out } = await talon('completion bash');
    expect(out).toMatch(/^if ! type -t _get_comp_words_by_ref /);
    expect(out).not.toMatch(/^readonly /m);
    expect(out).toContain('complete -o default -F __talon_complete talon\n');
  });

  const words = async (...typed: string[]) => {
    const terminal = recordingTerminal();
    await runCli(['complete', '--', ...typed], terminal);
    return terminal
      .stdout()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t')[0]);
  };

  test('completes commands, their commands and flags, and values', async () => {
    expect(await words('ru')).toEqual(['rules', ':4']);
    expect(await words('rules', '')).toEqual(['check', 'print', ':4']);
    expect(await words('rules', 'check', '--stri')).toEqual(['--strict-talon', ':4']);
    expect(await words('rules', 'check', '--format', '')).toEqual(['text', 'json', 'github', ':4']);
    expect(await words('eval', '--ru')).toEqual(['--rules', ':4']);
    expect(await words('completion', 'z')).toEqual(['zsh', ':4']);
  });

  test('leaves file names to the shell', async () => {
    expect(await words('rules', 'check', '-r', '')).toEqual([':0']);
    expect(await words('compile', 'rul')).toEqual([':0']);
  });

  test('shows no hidden command', async () => {
    expect(await words('')).not.toContain('complete');
    expect(await words('')).not.toContain('check');
  });
});

describe('faults', () => {
  test('a configuration that is not there is one line, without a stack', async () => {
    const { code, err } = await talon('eval -c /nowhere/config.yaml');
    expect(code).toBe(1);
    expect(err).toMatch(/^Error: .*\/nowhere\/config\.yaml/);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});
