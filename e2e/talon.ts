import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './cluster/free-port.ts';
import { type KeptProcess, startKept } from './cluster/kept-process.ts';
import { waitUntil } from './cluster/wait-until.ts';
import { parseMetrics, type Sample } from './metrics.ts';
import { makeScratch, removeScratch } from './scratch.ts';

/** The program under test, as the build leaves it. */
export const TALON = [process.execPath, join(import.meta.dirname, '../dist/talon.js')];

/** One line of the log in its JSON form. */
export type LogLine = Readonly<Record<string, string>>;

export interface TalonOptions {
  /** The text of the rules file. */
  readonly rules: string;
  /** The text of the kubeconfig file; without it the setting is left out. */
  readonly kubeconfig?: string;
  /** More settings of the configuration file, over those that every test has. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the program given after it, for another surrounding. */
  readonly within?: readonly string[];
}

/** A server that is up. */
export class Talon {
  /** Every line that it has logged so far. */
  readonly lines: readonly LogLine[];
  readonly url: string;
  readonly #process: KeptProcess;

  constructor(url: string, lines: readonly LogLine[], process: KeptProcess) {
    this.url = url;
    this.lines = lines;
    this.#process = process;
  }

  /** Sends an alert that must be accepted; returns its trace id, by which its log lines are found. */
  async post(body: string): Promise<string> {
    const traceId = randomBytes(16).toString('hex');
    const headers = {
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    };
    const response = await fetch(this.url, { method: 'POST', headers, body });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the alert was answered with ${response.status}: ${text}`);
    return traceId;
  }

  /** Sends an alert and waits for the results of that many actions; returns all lines about the alert, in order. */
  async handle(body: string, { results = 1, timeout = 15_000 } = {}): Promise<readonly LogLine[]> {
    const traceId = await this.post(body);
    const about = () => this.lines.filter((line) => line.trace_id === traceId);
    await waitUntil(`the results of ${results} actions`, () => about().filter(isResult).length >= results, {
      timeout,
      describe: () => this.#tail(),
    });
    return about();
  }

  /** Sends an alert and returns the line with the result of its only action. */
  async result(body: string, options: { readonly timeout?: number } = {}): Promise<LogLine> {
    const [result] = (await this.handle(body, options)).filter(isResult);
    return result!;
  }

  /** The samples of one metric that carry all the given labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<readonly Sample[]> {
    const response = await fetch(`${this.url}/metrics`);
    const text = await response.text();
    if (response.status !== 200) throw new Error(`/metrics was answered with ${response.status}: ${text}`);
    const wanted = Object.entries(labels);
    return parseMetrics(text).filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
  }

  async isHealthy(): Promise<boolean> {
    const response = await fetch(`${this.url}/healthz`);
    return response.status === 200;
  }

  /** Ends the server, as an orchestrator does, and returns its exit code. */
  stop(signal: 'TERM' | 'INT' | 'KILL' = 'TERM'): Promise<number> {
    return this.#process.stop(signal);
  }

  #tail(): string {
    return `last lines of the server:\n${this.lines
      .slice(-15)
      .map((line) => JSON.stringify(line))
      .join('\n')}`;
  }
}

/** Whether the line tells how an action ended. A dry run has no status, but is an end too. */
export function isResult({ message, status }: LogLine): boolean {
  return message === 'action' && status !== 'in_progress';
}

/** Starts the server with the rules and waits until it answers. Throws with its output when it ends instead. */
export async function startTalon(options: TalonOptions): Promise<Talon> {
  const folder = makeScratch();
  const port = await freePort();
  const lines: LogLine[] = [];
  const stray: string[] = [];
  const server = startKept('talon', [...(options.within ?? []), ...serverCommand(folder, port, options)], {
    cwd: folder,
    env: { HOME: folder, ...options.env },
    onLine: (line, stream) => {
      const parsed = stream === 'stdout' ? parseLogLine(line) : undefined;
      if (parsed) lines.push(parsed);
      else stray.push(line);
    },
  });
  void server.exited.then(() => removeScratch(folder));
  const url = `http://127.0.0.1:${port}`;
  const output = () => [...lines.map((line) => JSON.stringify(line)), ...stray].join('\n');
  await waitUntil(
    'the server to be healthy',
    async () => {
      if (!server.running()) throw new Error(`the server ended with ${await server.exited}:\n${output()}`);
      return (await fetch(`${url}/healthz`).catch(() => undefined))?.status === 200;
    },
    { describe: output },
  );
  return new Talon(url, lines, server);
}

/** The end of a command. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the program to its end, in the given folder. */
export async function runTalon(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return runProgram([...TALON, ...args], folder, env);
}

/** Starts the server as `startTalon` does, expecting that it refuses to run; returns how it ended. */
export async function refuseTalon(options: TalonOptions): Promise<Finished> {
  const folder = makeScratch();
  const command = [...(options.within ?? []), ...serverCommand(folder, await freePort(), options)];
  const finished = await runProgram(command, folder, options.env ?? {});
  removeScratch(folder);
  return finished;
}

/** Runs any program to its end. */
export async function runProgram(
  command: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const output = { stdout: '', stderr: '' };
  const program = startKept('program', command, {
    cwd: folder,
    env: { HOME: folder, ...env },
    onLine: (line, stream) => {
      output[stream] += `${line}\n`;
    },
  });
  return { code: await program.exited, ...output };
}

/** Writes the server's files and returns its command line. */
function serverCommand(folder: string, port: number, { rules, kubeconfig, settings }: TalonOptions): readonly string[] {
  const files = {
    rules: join(folder, 'rules.yaml'),
    config: join(folder, 'config.yaml'),
    kubeconfig: join(folder, 'kubeconfig'),
  };
  writeFileSync(files.rules, rules);
  if (kubeconfig !== undefined) writeFileSync(files.kubeconfig, kubeconfig, { mode: 0o600 });
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
  return [...TALON, 'server', '-c', files.config, '-r', files.rules];
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
