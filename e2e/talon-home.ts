import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './cluster/free-port.ts';
import { startKept } from './cluster/kept-process.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { type Finished, runProgram, runTalon, TALON } from './run-program.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import { Talon } from './talon.ts';

export interface TalonOptions {
  /** The text of the rules file. */
  readonly rules: string;
  /** The path of the rules file within the folder of the server, where the test writes it itself. */
  readonly rulesFile?: string;
  /** Files of guard policies. */
  readonly policies?: readonly string[];
  /** The text of the kubeconfig file; without it the setting is left out. */
  readonly kubeconfig?: string;
  /** More settings of the configuration file, over those that every test has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the program given after it, for another surrounding. */
  readonly within?: readonly string[];
  /** Another program than the built one, with the same command line. */
  readonly program?: readonly string[];
}

/** Where a server lives: its files, its port and its journal. They outlast the server, which can be started here again. */
export class TalonHome {
  readonly folder: string;
  readonly url: string;
  readonly files: HomeFiles;
  readonly #options: TalonOptions;

  private constructor(folder: string, port: number, options: TalonOptions) {
    this.folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.files = {
      rules: join(folder, options.rulesFile ?? 'rules.yaml'),
      config: join(folder, 'config.yaml'),
      kubeconfig: join(folder, 'kubeconfig'),
      journal: options.env?.JOURNAL_PATH ?? join(folder, 'state', 'journal.db'),
    };
    this.#options = options;
  }

  static async make(options: TalonOptions): Promise<TalonHome> {
    const port = await freePort();
    const home = new TalonHome(makeScratch(), port, options);
    home.#writeFiles(port);
    return home;
  }

  /** Starts the server and waits until it answers. Throws with its output when it ends instead. */
  async start(): Promise<Talon> {
    const talon = this.launch();
    await talon.untilHealthy();
    return talon;
  }

  /** Starts the server and does not wait for it. */
  launch(): Talon {
    const { env, within = [] } = this.#options;
    return Talon.watch(this.url, (onLine) =>
      startKept('talon', [...within, ...this.#command()], {
        cwd: this.folder,
        env: { HOME: this.folder, JOURNAL_PATH: this.files.journal, ...env },
        onLine,
      }),
    );
  }

  /** Runs the server to its end, for servers that refuse to start. */
  async refuse(): Promise<Finished> {
    const { env, within = [] } = this.#options;
    const variables = { JOURNAL_PATH: this.files.journal, ...env };
    return runProgram([...within, ...this.#command()], this.folder, variables);
  }

  /** Runs `talon journal ...` on the journal of this server. */
  journal(...args: readonly string[]): Promise<Finished> {
    return runTalon(this.folder, ['journal', ...args], { JOURNAL_PATH: this.files.journal });
  }

  /** The plans in its journal that are in one of these states. */
  async plans(...states: readonly string[]): Promise<readonly ListedPlan[]> {
    const flags = states.flatMap((state) => ['--state', state]);
    const { code, stdout, stderr } = await this.journal('list', '--limit', '100000', '--format', 'json', ...flags);
    if (code !== 0) throw new Error(`talon journal list ended with ${code}: ${stderr}`);
    return (JSON.parse(stdout) as { readonly plans: readonly ListedPlan[] }).plans;
  }

  /** The notices in its journal that wait to be sent, or with `--dead` those that were given up. */
  async notices(...flags: readonly string[]): Promise<readonly ListedNotice[]> {
    const { code, stdout, stderr } = await this.journal('notices', '--limit', '100000', '--format', 'json', ...flags);
    if (code !== 0) throw new Error(`talon journal notices ended with ${code}: ${stderr}`);
    return (JSON.parse(stdout) as { readonly notices: readonly ListedNotice[] }).notices;
  }

  /** Waits until no plan in its journal is open, for so many milliseconds. */
  async untilDone(timeout = 60_000): Promise<void> {
    const isDone = async () => (await this.plans('open')).length === 0;
    await waitUntil('the plans to end', isDone, { timeout, interval: 500 });
  }

  remove(): void {
    removeScratch(this.folder);
  }

  #command(): readonly string[] {
    const { program = TALON, policies = [] } = this.#options;
    const { config, rules } = this.files;
    return [...program, 'server', '-c', config, '-r', rules, ...policies.flatMap((file) => ['-p', file])];
  }

  #writeFiles(port: number): void {
    const { rules, rulesFile, kubeconfig, settings } = this.#options;
    const { files } = this;
    if (rulesFile === undefined) writeFileSync(files.rules, rules);
    if (kubeconfig !== undefined) writeFileSync(files.kubeconfig, kubeconfig, { mode: 0o600 });
    mkdirSync(join(this.folder, 'state'));
    // JSON is YAML, and needs no care about quoting.
    const config = {
      listen_address: '127.0.0.1',
      listen_port: port,
      log_format: 'json',
      watch_rules: false,
      deduplication: { leader_election: false, time_window_seconds: 0 },
      ...(kubeconfig === undefined ? {} : { kubeconfig: files.kubeconfig }),
      ...settings,
    };
    writeFileSync(files.config, JSON.stringify(config));
  }
}

/** A plan as `talon journal list` prints it. */
export interface ListedPlan {
  readonly id: number;
  readonly state: string;
  readonly reason?: string;
  readonly trace_id: string;
  readonly rules: readonly string[];
}

/** A notice as `talon journal notices` prints it. */
export interface ListedNotice {
  readonly state: string;
  readonly error?: string;
  readonly notice: { readonly trace_id: string };
}

export interface HomeFiles {
  readonly rules: string;
  readonly config: string;
  readonly kubeconfig: string;
  readonly journal: string;
}

/** Starts a server with a home of its own, which goes with it. */
export async function startTalon(options: TalonOptions): Promise<Talon> {
  const home = await TalonHome.make(options);
  const talon = home.launch();
  void talon.exited.then(() => home.remove());
  await talon.untilHealthy();
  return talon;
}

/** Starts the server as `startTalon` does, expecting that it refuses to run; returns how it ended. */
export async function refuseTalon(options: TalonOptions): Promise<Finished> {
  const home = await TalonHome.make(options);
  const finished = await home.refuse();
  home.remove();
  return finished;
}
